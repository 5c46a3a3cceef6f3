#ifndef EPISODIC_CLMDB_SHIM_H
#define EPISODIC_CLMDB_SHIM_H

#include <lmdb.h>

#endif
