#include "load/tally.h"

namespace ringroom::load {

namespace {

using Number = std::uint64_t Tally::*;

constexpr std::array<Number, 13> numbers = {
    &Tally::handshakes,     &Tally::sent,      &Tally::sent_bytes, &Tally::received,
    &Tally::received_bytes, &Tally::expected,  &Tally::arrived,    &Tally::duplicated,
    &Tally::reordered,      &Tally::corrupted, &Tally::foreign,    &Tally::alive,
    &Tally::cycles};

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  for (const Number number : numbers) this->*number += other.*number;
  for (std::size_t i = 0; i < fault_kinds; ++i) faults[i] += other.faults[i];
  return *this;
}

Tally Tally::operator-(const Tally& before) const {
  Tally difference = *this;
  for (const Number number : numbers) difference.*number -= before.*number;
  for (std::size_t i = 0; i < fault_kinds; ++i) difference.faults[i] -= before.faults[i];
  return difference;
}

}  // namespace ringroom::load
