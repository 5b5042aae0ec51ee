// Fuzz target: bytes through RequestReader and check_upgrade. Whole, byte by byte and in pieces,
// the outcome must be the same, and an accepted upgrade must be one by every rule that is easy to
// state.
#include "base/assert.h"
#include "codec/http/request_reader.h"
#include "codec/http/upgrade.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace {

using ringroom::HeaderView;
using ringroom::Request;
using ringroom::Response;
using ringroom::codec::http::check_upgrade;
using ringroom::codec::http::ReadStatus;
using ringroom::codec::http::RequestReader;
using ringroom::codec::http::UpgradeAccepted;
using ringroom::codec::http::UpgradeCheck;

void describe_upgrade(const Request& request, std::string& log) {
  const UpgradeCheck check = check_upgrade(request);
  if (const auto* accepted = std::get_if<UpgradeAccepted>(&check)) {
    ASSERT(request.method() == "GET" && request.is_upgrade() && request.header("host"));
    ASSERT(request.header("sec-websocket-key")->size() == 24);
    log.append(accepted->accept_key.data(), accepted->accept_key.size());
    log += accepted->extensions;
    for (const std::string_view subprotocol : accepted->subprotocols) {
      log += subprotocol;
    }
  } else if (const auto* response = std::get_if<Response>(&check)) {
    log += response->body();
  }
}

void describe(const RequestReader& reader, std::string& log) {
  const Request& request = reader.request();
  log += request.url();
  log += request.target();
  for (const HeaderView header : request.headers()) {
    log += header.name;
    log += header.value;
  }
  log += reader.keep_alive() ? 'k' : 'c';
  log += reader.expects_continue() ? 'e' : '-';
  describe_upgrade(request, log);
}

/// Feeds one piece; returns false when nothing more is to be read.
bool feed(RequestReader& reader, std::span<const std::byte> input, std::string& log) {
  while (true) {
    switch (reader.feed(input)) {
      case ReadStatus::need_more: ASSERT(input.empty()); return true;
      case ReadStatus::head:
        describe(reader, log);
        if (reader.request().is_upgrade()) {
          return false;
        }
        break;
      case ReadStatus::complete: {
        const Request request = reader.take_request();
        log += request.body();
        log += request.form().error;
        break;
      }
      case ReadStatus::refused: log += reader.refusal().text; return false;
    }
  }
}

std::string read(std::span<const std::byte> bytes, std::size_t piece_bytes) {
  RequestReader reader({.head_bytes_max = 2048, .body_bytes_max = 4096});
  std::string log;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece_bytes, bytes.size());
    const std::string copy(reinterpret_cast<const char*>(bytes.data()), size);
    if (!feed(reader, std::as_bytes(std::span(copy)), log)) {
      break;
    }
    bytes = bytes.subspan(size);
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const std::string whole = read(bytes, size);
  ASSERT(read(bytes, 1) == whole);
  ASSERT(read(bytes, 7) == whole);
  ASSERT(read(bytes, size / 2 + 1) == whole);
  return 0;
}
