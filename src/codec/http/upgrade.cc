#include "codec/http/upgrade.h"

#include "base/assert.h"
#include "codec/http/characters.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace ringroom::codec::http {

namespace {

constexpr std::size_t key_characters = 24;

/// What the handshake needs of the headers, found in one pass.
struct Handshake {
  std::string_view version;
  std::string_view key;
  std::size_t versions = 0;
  std::size_t keys = 0;
  bool connection_upgrade = false;
  bool has_body = false;
  bool subprotocols_valid = true;
  UpgradeAccepted accepted;
};

void note_connection(std::string_view value, Handshake& handshake) {
  while (!value.empty()) {
    if (equals_ignoring_case(take_element(value, ','), "upgrade")) {
      handshake.connection_upgrade = true;
    }
  }
}

/// RFC 6455 §4.1 item 10: tokens, each once; RFC 9110 §5.6.1 lets list elements be empty.
void note_subprotocols(std::string_view value, Handshake& handshake) {
  std::vector<std::string_view>& offered = handshake.accepted.subprotocols;
  while (!value.empty()) {
    const std::string_view subprotocol = take_element(value, ',');
    if (subprotocol.empty()) {
      continue;
    }
    if (!is_token(subprotocol) ||
        std::find(offered.begin(), offered.end(), subprotocol) != offered.end()) {
      handshake.subprotocols_valid = false;
      return;
    }
    offered.push_back(subprotocol);
  }
}

void note_extensions(std::string_view value, Handshake& handshake) {
  std::string& extensions = handshake.accepted.extensions;
  if (!extensions.empty() && !value.empty()) {
    extensions += ", ";
  }
  extensions += value;
}

void note_websocket_header(std::string_view name, std::string_view value, Handshake& handshake) {
  if (equals_ignoring_case(name, "sec-websocket-key")) {
    handshake.key = value;
    ++handshake.keys;
  } else if (equals_ignoring_case(name, "sec-websocket-version")) {
    handshake.version = value;
    ++handshake.versions;
  } else if (equals_ignoring_case(name, "sec-websocket-protocol")) {
    note_subprotocols(value, handshake);
  } else if (equals_ignoring_case(name, "sec-websocket-extensions")) {
    note_extensions(value, handshake);
  }
}

Handshake read_handshake(const Request& request) {
  Handshake handshake;
  for (const HeaderView header : request.headers()) {
    if (to_lower(header.name.front()) == 's') {
      note_websocket_header(header.name, header.value, handshake);
    } else if (equals_ignoring_case(header.name, "connection")) {
      note_connection(header.value, handshake);
    } else if (equals_ignoring_case(header.name, "transfer-encoding")) {
      handshake.has_body = true;
    } else if (equals_ignoring_case(header.name, "content-length")) {
      handshake.has_body |= header.value.find_first_not_of('0') != std::string_view::npos;
    }
  }
  return handshake;
}

/// Base64 of 16 bytes: 22 characters and two signs of padding.
bool is_valid_key(std::string_view key) {
  const auto is_base64 = [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '+' || c == '/';
  };
  return key.size() == key_characters && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, is_base64);
}

Response refuse(int status, std::string text) {
  Response response = Response::bytes(status, "text/plain", std::move(text));
  response.set_header("Connection", "close");
  return response;
}

std::optional<Response> find_fault(const Request& request, const Handshake& handshake) {
  if (request.method() != "GET") {
    return refuse(400, "ERROR: WebSocket must be initiated with a GET request.");
  }
  if (request.http_version() != "1.1") {
    return refuse(400, "ERROR: WebSocket must be initiated with HTTP/1.1.");
  }
  if (handshake.versions != 1 || handshake.version != "13") {
    Response response = refuse(426, "ERROR: The requested WebSocket version is not supported.");
    response.set_header("Sec-WebSocket-Version", "13").set_header("Upgrade", "websocket");
    return response;
  }
  if (handshake.keys == 0) {
    return refuse(400, "ERROR: Missing Sec-WebSocket-Key");
  }
  if (handshake.keys > 1 || !is_valid_key(handshake.key)) {
    return refuse(400, "ERROR: Invalid Sec-WebSocket-Key");
  }
  if (!handshake.connection_upgrade) {
    return refuse(400, "ERROR: The Connection header must have the token Upgrade.");
  }
  if (!handshake.subprotocols_valid) {
    return refuse(400, "ERROR: Invalid Sec-WebSocket-Protocol");
  }
  if (handshake.has_body) {
    return refuse(400, "ERROR: A WebSocket handshake must not have a body.");
  }
  return std::nullopt;
}

}  // namespace

UpgradeCheck check_upgrade(const Request& request) {
  if (!request.is_upgrade()) {
    return NotUpgrade{};
  }
  Handshake handshake = read_handshake(request);
  if (std::optional<Response> fault = find_fault(request, handshake)) {
    return *std::move(fault);
  }
  handshake.accepted.accept_key = make_accept_key(handshake.key);
  return std::move(handshake.accepted);
}

AcceptKey make_accept_key(std::string_view key) {
  constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  ASSERT(key.size() == key_characters);
  std::array<unsigned char, key_characters + guid.size()> input{};
  std::copy(guid.begin(), guid.end(), std::copy(key.begin(), key.end(), input.begin()));
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  ASSERT(SHA1(input.data(), input.size(), digest.data()) != nullptr);
  std::array<unsigned char, std::tuple_size_v<AcceptKey> + 1> text{};  // the encoder ends it with 0
  const int characters = EVP_EncodeBlock(text.data(), digest.data(), SHA_DIGEST_LENGTH);
  ASSERT(characters == static_cast<int>(std::tuple_size_v<AcceptKey>));
  AcceptKey accept_key{};
  std::transform(text.begin(), text.end() - 1, accept_key.begin(),
                 [](unsigned char c) { return static_cast<char>(c); });
  return accept_key;
}

void write_switching_protocols(std::string& out,
                               const AcceptKey& accept_key,
                               std::string_view subprotocol,
                               std::string_view extensions) {
  out +=
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: ";
  out.append(accept_key.data(), accept_key.size());
  if (!subprotocol.empty()) {
    out += "\r\nSec-WebSocket-Protocol: ";
    out += subprotocol;
  }
  if (!extensions.empty()) {
    out += "\r\nSec-WebSocket-Extensions: ";
    out += extensions;
  }
  out += "\r\n\r\n";
}

}  // namespace ringroom::codec::http
