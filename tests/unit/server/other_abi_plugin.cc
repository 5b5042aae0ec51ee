// Says that it was built for an interface that no server has, as one with other headers would; what
// follows the number has no meaning.
#include <cstdint>
#include <cstring>

extern "C" void ringroom_plugin(void* plugin, std::size_t bytes) {
  const std::uint32_t interface_number = 4000;
  std::memset(plugin, 0xff, bytes);
  std::memcpy(plugin, &interface_number, sizeof(interface_number));
}
