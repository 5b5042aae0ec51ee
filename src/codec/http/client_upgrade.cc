#include "codec/http/client_upgrade.h"

#include "base/assert.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <openssl/evp.h>

namespace ringroom::codec::http {

namespace {

namespace beast_http = boost::beast::http;

using Kind = UpgradeAnswer::Kind;

UpgradeAnswer invalid(std::string problem) {
  return {.kind = Kind::invalid, .problem = std::move(problem)};
}

// What is wrong with a 101; empty if nothing.
std::string check(const beast_http::fields& fields, const AcceptKey& expected) {
  if (!boost::beast::iequals(fields[beast_http::field::upgrade], "websocket")) {
    return "the 101 doesn't upgrade to websocket";
  }
  const boost::beast::string_view accept = fields[beast_http::field::sec_websocket_accept];
  if (accept != boost::beast::string_view(expected.data(), expected.size())) {
    return "Sec-WebSocket-Accept doesn't fit the key";
  }
  if (fields.count(beast_http::field::sec_websocket_extensions) != 0) {
    return "the 101 names an extension that wasn't offered";
  }
  return {};
}

}  // namespace

std::string make_websocket_key(std::span<const std::byte, 16> bytes) {
  std::array<unsigned char, 25> text{};  // with EVP's zero at the end
  const int size = EVP_EncodeBlock(
      text.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  ASSERT(size == 24);
  return {reinterpret_cast<const char*>(text.data()), 24};
}

void write_upgrade_request(std::string& out,
                           std::string_view host,
                           std::string_view target,
                           std::string_view key,
                           std::string_view headers) {
  out += "GET ";
  out += target;
  out += " HTTP/1.1\r\nHost: ";
  out += host;
  out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ";
  out += key;
  out += "\r\nSec-WebSocket-Version: 13\r\n";
  out += headers;
  out += "\r\n";
}

UpgradeAnswer read_upgrade_answer(std::span<const std::byte> bytes, const AcceptKey& expected) {
  beast_http::response_parser<beast_http::empty_body> parser;
  parser.skip(true);
  boost::beast::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error == beast_http::error::need_more) return {};
  if (error) return invalid("the answer is no HTTP: " + error.message());
  if (!parser.is_header_done()) return {};
  const auto& answer = parser.get();
  UpgradeAnswer read{.status = answer.result_int(), .head_bytes = used, .problem = {}};
  if (read.status != 101) {
    const boost::beast::string_view reason = answer.reason();
    read.kind = Kind::refused;
    read.problem = std::to_string(read.status) + " " + std::string(reason.data(), reason.size());
    return read;
  }
  if (std::string problem = check(answer, expected); !problem.empty()) {
    return invalid(std::move(problem));
  }
  read.kind = Kind::accepted;
  return read;
}

}  // namespace ringroom::codec::http
