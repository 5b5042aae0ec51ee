// Includes the header, announces no class.
#include <ringroom/plugin.h>
