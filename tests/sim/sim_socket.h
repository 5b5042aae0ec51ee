// SimSocket: one simulated TCP connection with both its ends, a server's and a client's, as Linux
// behaves: bounded buffers, FIN behind the data, RST that destroys what is on its way. Owned by
// whoever refers to it (files of rings, a backlog, the test's client); one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ringroom::sim {

/// Bytes in the order in which they came.
class ByteQueue {
 public:
  std::size_t size() const { return bytes_.size() - first_; }
  bool empty() const { return size() == 0; }
  void push(std::span<const std::byte> bytes);
  /// Moves up to to.size() bytes out; says how many.
  std::size_t pop(std::span<std::byte> to);
  /// Moves up to `count` bytes over to another queue.
  void move_to(ByteQueue& target, std::size_t count);
  void drop_last(std::size_t count) { bytes_.resize(bytes_.size() - count); }
  void clear();

 private:
  void compact();
  std::vector<std::byte> bytes_;
  std::size_t first_ = 0;
};

/// One direction: what the sender's kernel holds, and what the receiver's does.
struct Stream {
  ByteQueue sent;
  ByteQueue received;
  std::size_t sent_bytes_max = 0;
  std::size_t received_bytes_max = 0;
  bool fin_sent = false;
  bool fin_received = false;
};

class SimSocket {
 public:
  SimSocket(std::string client_address,
            std::size_t send_buffer_bytes,
            std::size_t receive_buffer_bytes,
            std::size_t client_window_bytes);

  const std::string& client_address() const { return client_address_; }

  // ---- The server's end. Results as those of the system calls: negative is -errno.

  /// Data, 0 at the end, -ECONNRESET once after a reset, -EAGAIN. Up to to.size() bytes.
  std::int32_t receive(std::span<std::byte> to);
  std::size_t receivable_bytes() const { return to_server_.received.size(); }
  bool is_readable() const;
  /// poll(2)'s mask of what a parked connection waits for; 0 if nothing happened.
  std::int32_t poll_mask() const;
  /// Takes what fits into the send buffer, but `limit` bytes at most.
  std::int32_t send(std::span<const std::byte> bytes, std::size_t limit = SIZE_MAX);
  /// Whether a send would do anything but wait.
  bool is_writable() const;
  void shut_down();
  /// Files of rings that refer to it: the last one to go closes it.
  void add_file() { ++files_; }
  void remove_file();

  // ---- The client's end.

  void client_write(std::span<const std::byte> bytes);
  std::vector<std::byte> client_read(std::size_t bytes_max);
  void client_shut_down();
  void client_close();
  /// RST from the client's side; `received_kept` bytes of what the server has not read arrived.
  void client_reset(std::size_t received_kept);
  void set_client_window(std::size_t bytes);

  bool client_saw_fin() const { return to_client_.fin_received && to_client_.received.empty(); }
  bool client_saw_reset() const { return client_saw_reset_; }
  std::size_t client_unsent_bytes() const { return to_server_.sent.size(); }
  std::size_t client_unread_bytes() const { return to_client_.received.size(); }
  std::size_t server_unsent_bytes() const { return to_client_.sent.size(); }
  bool is_closed_by_server() const { return closed_by_server_; }
  bool was_cut() const { return cut_; }

  /// The network gives the connection up: both ends are told.
  void reset_both(std::size_t received_kept);

 private:
  void close_by_server();
  void reset_server(std::size_t received_kept);
  void reset_client();
  int take_error();
  void carry();
  void carry_to_server();
  void carry_to_client();

  std::string client_address_;
  Stream to_server_;
  Stream to_client_;
  unsigned files_ = 0;
  int error_ = 0;       // of the server's socket, told once to whoever asks first
  bool reset_ = false;  // the server's socket got a RST
  bool closed_by_server_ = false;
  bool closed_by_client_ = false;
  bool client_saw_reset_ = false;
  bool cut_ = false;  // by the network
};

}  // namespace ringroom::sim
