// A shared object that knows nothing of Ringroom.
extern "C" int stranger() {
  return 0;
}
