#ifndef EPISODIC_YARDSTICK_LMDB_H
#define EPISODIC_YARDSTICK_LMDB_H

#include <lmdb.h>

#endif
