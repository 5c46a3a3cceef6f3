#ifndef EPISODIC_CZLIB_SHIM_H
#define EPISODIC_CZLIB_SHIM_H

#include <zlib.h>

#endif
