/// System calls that Swift's C library modules do not offer.
#ifndef EPISODIC_CFILELOCKS_H
#define EPISODIC_CFILELOCKS_H

#include <stdint.h>

/// Which file a path names, and how many bytes it has; a symbolic link is itself.
///
/// Requests nothing else, in particular no times: on Linux 6.13 and newer a request for the times makes the next write store a new
/// time, which has to reach the disk, and a synced commit to the log takes a third longer.
///
/// @return 0, or an error number.
int episodic_file_identity(const char *path, uint64_t *device, uint64_t *inode, int64_t *size);

/// Renames a file, unless there is one of the new name.
///
/// @return 0, or an error number: EEXIST if there is.
int episodic_rename_exclusive(const char *from, const char *to);

/// Exchanges the names of two files in one step: at no moment is one of the names missing.
///
/// @return 0, or an error number: EINVAL or ENOTSUP if the file system cannot.
int episodic_rename_exchange(const char *first, const char *second);

/// The number of the kind of file system that a path is on, as `linux/magic.h` has it.
///
/// @return 0, or an error number: ENOSYS on other systems than Linux.
int episodic_file_system_type(const char *path, uint32_t *type);

#endif
