/* fuzz/memory.c - what all files of a target count together */
#include "fuzz/memory.h"

struct memory memory;
alignas(16) char memory_room[MEMORY_ROOM];
