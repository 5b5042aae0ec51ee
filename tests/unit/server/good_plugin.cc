// A shared object as RINGROOM_AGENT makes it, with a class that is announced but never constructed.
#include <ringroom/plugin.h>

namespace {

ringroom::detail::Registration chess{
    {.name = "ChessGame", .options = {.tick_hz = 5}, .callables = {}, .tasks = {}}, nullptr};
const ringroom::detail::Registrar chess_registrar{chess};

}  // namespace
