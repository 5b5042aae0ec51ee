#include <ringroom/server.h>

int main(int argc, char** argv) {
  return ringroom::serve(argc, argv);
}
