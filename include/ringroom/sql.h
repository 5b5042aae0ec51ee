// SQL: the values, rows and errors of an agent's own SQLite database (Agent::sql). All are owned
// values: any thread may keep them.
#pragma once

#include "ringroom/json.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ringroom {

/// What a query failed with: what() is `SQL query failed: ` and the cause, in SQLite's words.
class SqlError : public std::runtime_error {
 public:
  SqlError(std::string_view query, const std::string& cause)
      : std::runtime_error("SQL query failed: " + cause), query_(query), cause_(cause) {}
  const std::string& query() const { return query_; }
  const std::string& cause() const { return cause_; }

 private:
  std::string query_;
  std::string cause_;
};

/// One value of SQLite: NULL, INTEGER (64 bits, whole), REAL, TEXT or BLOB.
class SqlValue {
 public:
  using Blob = std::vector<std::byte>;
  using Any = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

  // Implicit, so that what is bound is written as it is. NOLINTBEGIN(google-explicit-constructor)
  SqlValue() = default;
  SqlValue(std::nullptr_t) {}
  SqlValue(std::nullopt_t) {}
  /// bool is bound as 0 or 1. Throws std::out_of_range for what 64 bits with a sign don't hold.
  template <std::integral T>
  SqlValue(T value) : any_(static_cast<std::int64_t>(value)) {
    if (!std::in_range<std::int64_t>(widened(value))) {
      throw std::out_of_range("an SQL integer has 64 bits with a sign");
    }
  }
  SqlValue(double value) : any_(value) {}
  SqlValue(const char* text) : any_(std::string(text)) {}
  SqlValue(std::string_view text) : any_(std::string(text)) {}
  SqlValue(std::string text) : any_(std::move(text)) {}
  SqlValue(std::span<const std::byte> bytes) : any_(Blob(bytes.begin(), bytes.end())) {}
  SqlValue(Blob bytes) : any_(std::move(bytes)) {}
  template <typename T>
  SqlValue(const std::optional<T>& value) {
    if (value) *this = SqlValue(*value);
  }
  // NOLINTEND(google-explicit-constructor)

  bool is_null() const { return any_.index() == 0; }
  /// These throw std::invalid_argument if the value is of another type; real() takes INTEGER too.
  std::int64_t integer() const { return get<std::int64_t>("INTEGER"); }
  double real() const {
    if (const auto* whole = std::get_if<std::int64_t>(&any_)) return static_cast<double>(*whole);
    return get<double>("REAL");
  }
  const std::string& text() const { return get<std::string>("TEXT"); }
  const Blob& blob() const { return get<Blob>("BLOB"); }
  const Any& any() const { return any_; }
  friend bool operator==(const SqlValue&, const SqlValue&) = default;

 private:
  template <typename T>
  static auto widened(T value) {
    if constexpr (std::same_as<T, bool>) {
      return static_cast<int>(value);
    } else {
      return +value;
    }
  }
  template <typename T>
  const T& get(const char* wanted) const {
    if (const T* value = std::get_if<T>(&any_)) return *value;
    constexpr const char* names[] = {"NULL", "INTEGER", "REAL", "TEXT", "BLOB"};
    throw std::invalid_argument(std::string("an SQL value is ") + names[any_.index()] + ", not " +
                                wanted);
  }

  Any any_;
};

/// What a query answered: rows of as many values as there are columns.
class SqlRows {
 public:
  /// One row. Borrowed from its SqlRows.
  class Row {
   public:
    Row(const SqlRows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    std::size_t size() const { return rows_->columns().size(); }
    const SqlValue& operator[](std::size_t column) const {
      return rows_->values_.at(index_ * size() + column);
    }
    /// By the column's name; the last one of that name. Throws std::out_of_range if there is none.
    const SqlValue& operator[](std::string_view column) const {
      return (*this)[rows_->column_index(column)];
    }
    // A literal 0 is a column's number.
    const SqlValue& operator[](int column) const {
      return (*this)[static_cast<std::size_t>(column)];
    }
    const SqlValue& operator[](const char* column) const {
      return (*this)[std::string_view(column)];
    }

   private:
    const SqlRows* rows_;
    std::size_t index_;
  };
  class Iterator {
   public:
    Iterator(const SqlRows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    Row operator*() const { return {*rows_, index_}; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const SqlRows* rows_;
    std::size_t index_;
  };

  SqlRows() = default;
  SqlRows(std::vector<std::string> columns, std::vector<SqlValue> values)
      : columns_(std::move(columns)), values_(std::move(values)) {}

  const std::vector<std::string>& columns() const { return columns_; }
  std::size_t size() const { return columns_.empty() ? 0 : values_.size() / columns_.size(); }
  bool empty() const { return size() == 0; }
  Row operator[](std::size_t index) const { return {*this, index}; }
  Row front() const { return {*this, 0}; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  std::size_t column_index(std::string_view name) const {
    for (std::size_t i = columns_.size(); i > 0; --i) {
      if (columns_[i - 1] == name) return i - 1;
    }
    throw std::out_of_range("the query has no column " + std::string(name));
  }

  std::vector<std::string> columns_;
  std::vector<SqlValue> values_;
};

}  // namespace ringroom
