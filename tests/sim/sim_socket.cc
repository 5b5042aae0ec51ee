#include "sim_socket.h"

#include "base/assert.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/poll.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif

namespace ringroom::sim {

void ByteQueue::push(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::size_t ByteQueue::pop(std::span<std::byte> to) {
  const std::size_t count = std::min(to.size(), size());
  if (count != 0) std::memcpy(to.data(), bytes_.data() + first_, count);
  first_ += count;
  compact();
  return count;
}

void ByteQueue::move_to(ByteQueue& target, std::size_t count) {
  ASSERT(count <= size());
  target.push(std::span(bytes_).subspan(first_, count));
  first_ += count;
  compact();
}

void ByteQueue::clear() {
  bytes_.clear();
  first_ = 0;
}

void ByteQueue::compact() {
  if (first_ == bytes_.size()) {
    clear();
  } else if (first_ > 65'536) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

SimSocket::SimSocket(std::string client_address,
                     std::size_t send_buffer_bytes,
                     std::size_t receive_buffer_bytes,
                     std::size_t client_window_bytes)
    : client_address_(std::move(client_address)) {
  to_server_.sent_bytes_max = SIZE_MAX;
  to_server_.received_bytes_max = receive_buffer_bytes;
  to_client_.sent_bytes_max = send_buffer_bytes;
  to_client_.received_bytes_max = client_window_bytes;
}

std::int32_t SimSocket::receive(std::span<std::byte> to) {
  if (!to_server_.received.empty()) {
    const std::size_t count = to_server_.received.pop(to);
    carry();
    return static_cast<std::int32_t>(count);
  }
  if (to_server_.fin_received) return 0;
  if (error_ != 0) return -take_error();
  return reset_ ? 0 : -EAGAIN;
}

bool SimSocket::is_readable() const {
  return !to_server_.received.empty() || to_server_.fin_received || error_ != 0 || reset_;
}

std::int32_t SimSocket::poll_mask() const {
  int mask = 0;
  if (is_readable()) mask |= POLLIN;
  if (to_server_.fin_received || reset_) mask |= POLLRDHUP;
  if (reset_) mask |= POLLHUP;
  if (error_ != 0) mask |= POLLERR;
  return mask;
}

std::int32_t SimSocket::send(std::span<const std::byte> bytes, std::size_t limit) {
  if (error_ != 0) return -take_error();
  if (reset_ || to_client_.fin_sent) return -EPIPE;
  const std::size_t room = to_client_.sent_bytes_max - to_client_.sent.size();
  const std::size_t count = std::min({bytes.size(), room, limit});
  if (count == 0 && !bytes.empty()) return -EAGAIN;
  to_client_.sent.push(bytes.first(count));
  carry();
  return static_cast<std::int32_t>(count);
}

bool SimSocket::is_writable() const {
  return error_ != 0 || reset_ || to_client_.fin_sent ||
         to_client_.sent.size() < to_client_.sent_bytes_max;
}

void SimSocket::shut_down() {
  to_client_.fin_sent = true;
  carry();
}

void SimSocket::remove_file() {
  ASSERT(files_ > 0);
  if (--files_ == 0) close_by_server();
}

// Linux sends a RST instead of a FIN if data was left unread, and what is still in the send buffer
// is lost then.
void SimSocket::close_by_server() {
  closed_by_server_ = true;
  if (!to_server_.received.empty() && !reset_) return reset_client();
  to_client_.fin_sent = true;
  carry();
}

void SimSocket::client_write(std::span<const std::byte> bytes) {
  if (client_saw_reset_ || closed_by_client_ || to_server_.fin_sent) return;
  to_server_.sent.push(bytes);
  carry();
}

std::vector<std::byte> SimSocket::client_read(std::size_t bytes_max) {
  std::vector<std::byte> bytes(std::min(bytes_max, to_client_.received.size()));
  to_client_.received.pop(bytes);
  carry();
  return bytes;
}

void SimSocket::client_shut_down() {
  to_server_.fin_sent = true;
  carry();
}

void SimSocket::client_close() {
  closed_by_client_ = true;
  to_client_.received.clear();
  client_shut_down();
}

void SimSocket::client_reset(std::size_t received_kept) {
  closed_by_client_ = true;
  to_client_.received.clear();
  reset_server(received_kept);
}

void SimSocket::set_client_window(std::size_t bytes) {
  to_client_.received_bytes_max = bytes;
  carry();
}

void SimSocket::reset_both(std::size_t received_kept) {
  cut_ = true;
  reset_client();
  reset_server(received_kept);
}

void SimSocket::reset_server(std::size_t received_kept) {
  if (reset_) return;
  reset_ = true;
  error_ = to_server_.fin_received ? EPIPE : ECONNRESET;
  to_server_.sent.clear();
  to_client_.sent.clear();
  const std::size_t unread = to_server_.received.size();
  if (received_kept < unread) to_server_.received.drop_last(unread - received_kept);
}

void SimSocket::reset_client() {
  if (!closed_by_client_) client_saw_reset_ = true;
  to_server_.sent.clear();
  to_client_.sent.clear();
}

int SimSocket::take_error() {
  return std::exchange(error_, 0);
}

void SimSocket::carry() {
  if (reset_) return;
  carry_to_server();
  carry_to_client();
}

void SimSocket::carry_to_server() {
  Stream& stream = to_server_;
  if (closed_by_server_ && !stream.sent.empty()) return reset_client();
  const std::size_t held = std::min(stream.received.size(), stream.received_bytes_max);
  stream.sent.move_to(stream.received,
                      std::min(stream.sent.size(), stream.received_bytes_max - held));
  if (stream.sent.empty() && stream.fin_sent) stream.fin_received = true;
}

void SimSocket::carry_to_client() {
  Stream& stream = to_client_;
  if (client_saw_reset_) return;
  if (closed_by_client_ && !stream.sent.empty()) return reset_server(SIZE_MAX);
  const std::size_t held = std::min(stream.received.size(), stream.received_bytes_max);
  stream.sent.move_to(stream.received,
                      std::min(stream.sent.size(), stream.received_bytes_max - held));
  if (stream.sent.empty() && stream.fin_sent) stream.fin_received = true;
}

}  // namespace ringroom::sim
