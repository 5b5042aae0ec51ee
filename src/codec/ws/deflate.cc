#include "codec/ws/deflate.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

namespace ringroom::codec::ws {
namespace {

/// The end of every sync flush. A sender takes it off, a receiver puts it back (RFC 7692 §7.2).
constexpr std::array<std::byte, 4> flush_tail{std::byte{0x00}, std::byte{0x00}, std::byte{0xff},
                                              std::byte{0xff}};

constexpr std::size_t zlib_bytes_max = std::numeric_limits<uInt>::max();

/// A negative number of window bits means raw deflate, without zlib's header and checksum.
constexpr int raw(int window_bits) {
  return -window_bits;
}

/// zlib never writes through next_in, but without ZLIB_CONST it does not say so.
void set_input(z_stream& stream, std::span<const std::byte> input) {
  ASSERT(input.size() <= zlib_bytes_max);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
}

void set_output(z_stream& stream, std::span<std::byte> output) {
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = static_cast<uInt>(std::min(output.size(), zlib_bytes_max));
}

/// Whether everything up to the end of a block was read and nothing of the next (zlib.h on
/// data_type: 128 after a block's end, the low bits count those not used of the last byte).
bool is_at_block_end(const z_stream& stream) {
  constexpr int block_ended = 128;
  constexpr int unused_bits = 63;
  return (stream.data_type & block_ended) != 0 && (stream.data_type & unused_bits) == 0;
}

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  std::default_delete<z_stream_s>()(stream);
}

void Deflater::End::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  std::default_delete<z_stream_s>()(stream);
}

InflateStatus Inflater::inflate(std::span<const std::byte> payload,
                                std::vector<std::byte>& out,
                                std::size_t bytes_max) {
  if (stream_ == nullptr) {
    stream_.reset(std::make_unique<z_stream_s>().release());
    ASSERT(inflateInit2(stream_.get(), raw(window_bits_max)) == Z_OK);
  } else {
    ASSERT(inflateReset(stream_.get()) == Z_OK);
  }
  written_ = 0;
  bytes_max_ = bytes_max;
  // A guess that fits small messages at once and lets large ones grow by doubling.
  constexpr std::size_t first_bytes_min = 512;
  out.clear();
  out.resize(std::min(bytes_max, std::max(first_bytes_min, 3 * payload.size())));
  const InflateStatus status = payload.empty() ? InflateStatus::ok : inflate_blocks(payload, out);
  out.resize(written_);
  return status;
}

InflateStatus Inflater::inflate_blocks(std::span<const std::byte> payload,
                                       std::vector<std::byte>& out) {
  set_input(*stream_, payload);
  Progress progress = run(out);
  while (progress == Progress::stream_ended) {
    // A block with BFINAL ended the stream. The message may end here too, or go on with further
    // blocks, if only with the empty one that the tail completes (§7.2.3.5).
    if (stream_->avail_in == 0) {
      return InflateStatus::ok;
    }
    ASSERT(inflateReset(stream_.get()) == Z_OK);
    progress = run(out);
  }
  if (progress == Progress::input_used_up) {
    set_input(*stream_, flush_tail);
    progress = run(out);
  }
  if (progress == Progress::too_big) {
    return InflateStatus::too_big;
  }
  // A message that was cut takes the tail for data: it ends a stream or stays inside a block.
  const bool whole = progress == Progress::input_used_up && is_at_block_end(*stream_);
  return whole ? InflateStatus::ok : InflateStatus::bad_data;
}

/// Inflates until the input is used up or something else stops it.
Inflater::Progress Inflater::run(std::vector<std::byte>& out) {
  for (;;) {
    const Progress progress = run_once(out);
    if (progress != Progress::input_used_up || stream_->avail_out != 0) {
      return progress;
    }
  }
}

/// Inflates into the room there is. A full `out` at its limit is given a byte outside of it,
/// because only zlib knows whether more would come.
Inflater::Progress Inflater::run_once(std::vector<std::byte>& out) {
  std::byte beyond_limit{};
  const bool at_limit = written_ == bytes_max_;
  if (written_ == out.size() && !at_limit) {
    out.resize(std::min(bytes_max_, 2 * out.size()));
  }
  const std::span<std::byte> room =
      at_limit ? std::span(&beyond_limit, 1) : std::span(out).subspan(written_);
  set_output(*stream_, room);
  const uInt room_bytes = stream_->avail_out;
  const int status = ::inflate(stream_.get(), Z_SYNC_FLUSH);
  const std::size_t produced = room_bytes - stream_->avail_out;
  if (at_limit && produced != 0) {
    return Progress::too_big;
  }
  written_ += produced;
  if (status == Z_STREAM_END) {
    return Progress::stream_ended;
  }
  // Z_BUF_ERROR only says that there was nothing to do.
  return status == Z_OK || status == Z_BUF_ERROR ? Progress::input_used_up : Progress::bad_data;
}

void Deflater::set_window_bits(int window_bits) {
  ASSERT(window_bits >= deflate_window_bits_min && window_bits <= window_bits_max);
  // Half the time of zlib's defaults for an eighth more bytes on JSON of 7 KB, and hash tables that
  // are quickly cleared between messages.
  constexpr int level = 3;
  constexpr int memory_level = 7;
  stream_.reset();
  stream_.reset(std::make_unique<z_stream_s>().release());
  ASSERT(deflateInit2(stream_.get(), level, Z_DEFLATED, raw(window_bits), memory_level,
                      Z_DEFAULT_STRATEGY) == Z_OK);
  window_bits_ = window_bits;
}

void Deflater::deflate(std::span<const std::byte> message,
                       std::vector<std::byte>& out,
                       int window_bits) {
  if (window_bits != window_bits_) {
    set_window_bits(window_bits);
  } else {
    ASSERT(deflateReset(stream_.get()) == Z_OK);
  }
  // zlib's bound is for a finished stream; a flush ends with an empty stored block instead.
  constexpr std::size_t flush_bytes_max = 16;
  set_input(*stream_, message);
  out.clear();
  out.resize(deflateBound(stream_.get(), message.size()) + flush_bytes_max);
  set_output(*stream_, out);
  ASSERT(::deflate(stream_.get(), Z_SYNC_FLUSH) == Z_OK);
  ASSERT(stream_->avail_in == 0 && stream_->avail_out != 0);
  out.resize(out.size() - stream_->avail_out);
  ASSERT(out.size() > flush_tail.size() &&
         std::equal(flush_tail.begin(), flush_tail.end(), out.end() - flush_tail.size()));
  out.resize(out.size() - flush_tail.size());
}

}  // namespace ringroom::codec::ws
