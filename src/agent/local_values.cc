#include "agent/local_values.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace ringroom::agent_runtime {

void* LocalValues::at(const detail::LocalType& type, std::size_t index, std::size_t members) {
  if (type_ == nullptr) type_ = &type;
  if (type_ != &type) {
    throw std::logic_error("connection.local<T>(): a room has one T, and this is another");
  }
  if (made_ < members) grow(members);
  return value(index);
}

void LocalValues::leave(std::size_t index, std::size_t last) {
  if (index >= made_) return;
  type_->destroy(value(index));
  if (last < made_) {
    if (last != index) {
      type_->move(value(index), value(last));
      type_->destroy(value(last));
    }
    made_ = last;
  } else {
    // The last member never had a value; this one gets it when it is asked for.
    type_->construct(value(index));
  }
}

void LocalValues::clear() {
  for (std::size_t i = 0; i < made_; ++i) type_->destroy(value(i));
  if (values_ != nullptr) ::operator delete(values_, std::align_val_t(type_->alignment));
  values_ = nullptr;
  made_ = 0;
  capacity_ = 0;
  type_ = nullptr;
}

void LocalValues::grow(std::size_t members) {
  if (members > capacity_) {
    const std::size_t capacity = std::max<std::size_t>({members, capacity_ * 2, 8});
    auto* larger = static_cast<std::byte*>(
        ::operator new(capacity * type_->bytes, std::align_val_t(type_->alignment)));
    for (std::size_t i = 0; i < made_; ++i) {
      type_->move(larger + i * type_->bytes, value(i));
      type_->destroy(value(i));
    }
    if (values_ != nullptr) ::operator delete(values_, std::align_val_t(type_->alignment));
    values_ = larger;
    capacity_ = capacity;
  }
  for (; made_ < members; ++made_) type_->construct(value(made_));
}

}  // namespace ringroom::agent_runtime
