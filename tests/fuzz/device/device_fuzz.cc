// The device client against a hostile server: after a right handshake any bytes, in pieces that the
// input chooses, and a transport that takes what it likes. The sanitizers look for what is read or
// written beyond the buffers.
#include "base/assert.h"
#include "memory_transport.h"

#include <cstddef>
#include <cstdint>

namespace ringroom::device::testing {
namespace {

/// Reads each byte that it is shown, and answers.
class Echo final : public Handler {
 public:
  void on_message(const Message& message) override {
    for (std::size_t i = 0; i < message.type_bytes; ++i)
      sum += static_cast<unsigned char>(message.type[i]);
    for (std::size_t i = 0; i < message.payload_bytes; ++i) sum += message.payload[i];
    if (device != nullptr) device->queue("echo", message.payload, message.payload_bytes);
  }

  Device<>* device = nullptr;
  std::uint32_t sum = 0;
};

void run(std::string_view input) {
  if (input.size() < 3) return;
  MemoryTransport transport;
  Echo echo;
  Options options;
  options.batch = (input[0] & 1) != 0;
  Device<> device(transport, echo, options);
  echo.device = &device;
  std::uint32_t now_ms = 0;
  device.poll(now_ms);
  if ((input[0] & 2) == 0) {
    transport.incoming = transport.answer();
    device.poll(now_ms);
    ASSERT(device.is_open());
  }
  transport.piece_bytes = 1 + static_cast<unsigned char>(input[1]);
  transport.write_bytes = static_cast<unsigned char>(input[2]);
  transport.incoming = input.substr(3);
  for (int i = 0; i < 2000 && !transport.incoming.empty(); ++i) {
    device.poll(now_ms += 10);
    transport.sent.clear();
  }
}

}  // namespace
}  // namespace ringroom::device::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringroom::device::testing::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
