// thermometer: a device that streams readings to an agent, in envelopes. Not an agent itself, and
// built as devices are: for size, without exceptions and RTTI. Each line that it prints is
// something that happened.
//   thermometer HOST PORT PATH READINGS [EVERY_MS [PING_MS]]
#include <ringroom/device_posix.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

using namespace ringroom::device;

constexpr std::uint32_t quiet_ms = 500;

std::uint32_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint32_t>(now.tv_sec * 1000 + now.tv_nsec / 1'000'000);
}

class Printer final : public Handler {
 public:
  void on_open() override { say("open", 0); }
  void on_message(const Message& message) override {
    ++heard_;
    say("heard", message.payload_bytes == 0 ? 0 : message.payload[0]);
  }
  void on_missed(std::uint32_t count) override { say("missed", count); }
  void on_close(std::uint16_t code) override { say("closed", code); }

  unsigned heard() const { return heard_; }

 private:
  static void say(const char* what, unsigned number) {
    std::printf("%s %u\n", what, number);
    std::fflush(stdout);
  }
  unsigned heard_ = 0;
};

std::uint32_t number(int argc, char** argv, int index, std::uint32_t otherwise) {
  return index < argc ? static_cast<std::uint32_t>(std::strtoul(argv[index], nullptr, 10))
                      : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("thermometer HOST PORT PATH READINGS [EVERY_MS [PING_MS]]\n", stderr);
    return 2;
  }
  SocketTransport socket(argv[1], argv[2]);
  if (!socket.has_address()) {
    std::fprintf(stderr, "thermometer: no address of %s\n", argv[1]);
    return 1;
  }
  Printer printer;
  Options options;
  options.host = argv[1];
  options.path = argv[3];
  options.backoff_first_ms = 100;
  options.ping_every_ms = number(argc, argv, 6, options.ping_every_ms);
  Device<> device(socket, printer, options);
  const std::uint32_t readings = number(argc, argv, 4, 0);
  const std::uint32_t every_ms = number(argc, argv, 5, 10);
  std::uint32_t taken = 0;
  std::uint32_t next_ms = now_ms();
  // Until all have left and nothing has happened for a while.
  std::uint32_t quiet_at_ms = next_ms;
  while (taken < readings || device.queued() > 0 || now_ms() - quiet_at_ms < quiet_ms) {
    const unsigned heard = printer.heard();
    device.poll(now_ms());
    if (taken < readings && static_cast<std::int32_t>(now_ms() - next_ms) >= 0) {
      const auto degrees = static_cast<std::uint8_t>(15 + taken % 10);
      if (device.queue("temp", &degrees, 1)) ++taken;
      next_ms += every_ms;
    }
    if (heard != printer.heard() || device.queued() > 0) quiet_at_ms = now_ms();
    socket.wait(5);
  }
  device.stop();
  return 0;
}
