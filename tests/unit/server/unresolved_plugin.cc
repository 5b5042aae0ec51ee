// Needs a function that nobody has.
namespace elsewhere {
int missing(int);
}

extern "C" int ringroom_unresolved() {
  return elsewhere::missing(1);
}
