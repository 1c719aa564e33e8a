/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs root: folders, the lock, the control sockets with their groups. It is done once; all
 * later work gets along with CAP_NET_ADMIN. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/base/run_lock.h"
#include "lib/limit/message_limit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FLOWS_LEAST 2048
#define FLOWS_MOST  65536

static int find_user(struct keeper *keeper)
{
	const char *name = keeper->options.user;
	const struct passwd *user = getpwnam(name);

	if (!user) {
		log_error("there is no user \"%s\": make it with `useradd --system --shell "
			  "/usr/sbin/nologin %s`, or name another with --user",
			name, name);
		return -ENOENT;
	}
	if (user->pw_uid == 0) {
		log_error("--user %s is root: Postern needs a user without privileges", name);
		return -EINVAL;
	}
	keeper->uid = user->pw_uid;
	keeper->gid = user->pw_gid;
	return 0;
}

static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the number of descriptors: %s", strerror(errno));
}

static bool is_empty(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned entries = 0;

	if (!dir)
		return false;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries <= 2; /* "." and ".." */
}

/* Makes the folder, and gives one that root made for us to the user. By descriptor and without
 * following a link: the folder above may be another's. */
static int make_folder(const struct keeper *keeper, const char *path, mode_t mode)
{
	bool made = mkdir(path, mode) == 0;
	struct stat st;
	int error = 0;

	if (!made && errno != EEXIST) {
		log_error("cannot make the folder %s: %s", path, strerror(errno));
		return -errno;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		error = -errno;
		log_error("cannot open the folder %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return error;
	}
	if (made || (st.st_uid == 0 && is_empty(fd))) {
		if (fchown(fd, keeper->uid, keeper->gid) < 0 || (made && fchmod(fd, mode) < 0)) {
			error = -errno;
			log_error("cannot give the folder %s to user %s: %s", path,
				keeper->options.user, strerror(errno));
		}
	}
	close(fd);
	return error;
}

static int take_lock(struct keeper *keeper)
{
	char path[PATH_MAX], pid[32] = "";

	snprintf(path, sizeof(path), "%s/" RUN_LOCK_NAME, keeper->options.run_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[len > 0 ? strcspn(pid, "\n") : 0] = 0;
		log_error("another posternd (pid %s) uses the run folder %s", pid[0] ? pid : "?",
			keeper->options.run_dir);
		close(fd);
		return -EBUSY;
	}
	int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len)
		log_warning("cannot write %s: %s", path, strerror(errno));
	keeper->lock = fd;
	return 0;
}

/* Owned by root, so that only root and the group may connect; without such a group only root. Where
 * a service manager started us as the user it is the user's, and control turns our own processes
 * away. The mode comes from the umask: a chmod() could be led elsewhere by whoever owns the
 * folder. */
static int open_socket(struct keeper *keeper, const char *name, const char *group_name, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct group *group = getgrnam(group_name);

	int len = snprintf(
		address.sun_path, sizeof(address.sun_path), "%s/%s", keeper->options.run_dir, name);
	if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
		log_error("the path %s/%s is too long for a socket", keeper->options.run_dir, name);
		return -ENAMETOOLONG;
	}
	if (unlink(address.sun_path) < 0 && errno != ENOENT) {
		log_error("cannot remove the old %s: %s", address.sun_path, strerror(errno));
		return -errno;
	}
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(group ? 0117 : 0177);
	int failed = s < 0 || bind(s, (struct sockaddr *)&address, sizeof(address)) < 0;
	umask(old);
	if (failed || listen(s, 128) < 0 ||
		(group && lchown(address.sun_path, geteuid() == 0 ? 0 : (uid_t)-1, group->gr_gid) <
				  0)) {
		int error = -errno;
		log_error("cannot open the socket %s: %s", address.sun_path, strerror(errno));
		if (s >= 0)
			close(s);
		if (!failed)
			unlink(address.sun_path);
		return error;
	}
	if (!group)
		log_info(
			"there is no group %s: only root may use %s", group_name, address.sun_path);
	*fd = s;
	return 0;
}

int keeper_prepare_desk(struct keeper *keeper)
{
	return open_socket(keeper, "desk.sock", "postern-desk", &keeper->desk_socket);
}

/* Children execute this file whatever becomes of its name: until the keeper itself is another, they
 * are of one build with it. Under its name the next version will lie. */
static int open_program(struct keeper *keeper)
{
	keeper->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t len = readlink("/proc/self/exe", keeper->path, sizeof(keeper->path) - 1);
	if (keeper->program < 0 || len <= 0) {
		log_error("cannot open my own program file: %s", strerror(errno));
		return -errno;
	}
	keeper->path[len] = 0;
	return 0;
}

/* More columns than relays: those from before an upgrade go on counting in theirs. */
#define GENERATIONS 4
_Static_assert(LIMIT_COLUMNS_MAX == PROCESS_NUMBERS_MAX, "one for each");

unsigned keeper_limit_columns(const struct keeper *keeper)
{
	return roles_columns(keeper->options.relays) * GENERATIONS;
}

/* Shared memory of zeros, mapped, which nobody makes smaller or larger. Its descriptor, or -errno.
 */
static int make_memory(const char *name, size_t bytes, void **memory)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) == 0 &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == 0) {
		*memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (*memory != MAP_FAILED)
			return fd;
	}
	int error = -errno;
	close(fd);
	return error;
}

int keeper_prepare_message_limit(struct keeper *keeper)
{
	uint8_t secret[SIPHASH_SECRET_SIZE];
	void *memory;

	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	int fd = make_memory("postern-message-limit", MESSAGE_LIMIT_BYTES, &memory);
	if (fd < 0)
		return fd;
	int error = message_limit_init(memory, MESSAGE_LIMIT_BYTES, secret);
	munmap(memory, MESSAGE_LIMIT_BYTES);
	keeper->message_limit_fd = fd;
	return error;
}

int keeper_prepare_limit(struct keeper *keeper)
{
	uint8_t secret[LIMIT_SECRET_SIZE];
	struct rlimit descriptors;
	unsigned long flows = FLOWS_LEAST;

	/* a flow needs two descriptors */
	if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0)
		flows = descriptors.rlim_cur / 2 * keeper->options.relays;
	if (flows < FLOWS_LEAST)
		flows = FLOWS_LEAST;
	if (flows > FLOWS_MOST)
		flows = FLOWS_MOST;
	uint32_t columns = keeper_limit_columns(keeper);
	size_t bytes = limit_bytes(columns, (uint32_t)flows * 4);
	void *memory;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	int fd = make_memory("postern-limit", bytes, &memory);
	if (fd < 0)
		return fd;
	int error = limit_init(memory, bytes, columns, secret);
	if (!error)
		error = limit_attach(&keeper->limit, memory, bytes);
	if (error)
		munmap(memory, bytes);
	keeper->limit_fd = fd;
	return error;
}

static int check_state(const struct keeper *keeper)
{
	const char *path = keeper->options.state_dir;

	if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	int error = -errno;
	log_error("the state folder %s cannot be written by user %s: %s", path,
		keeper->options.user, strerror(errno));
	return error;
}

int keeper_prepare(struct keeper *keeper)
{
	const struct process_options *options = &keeper->options;
	int error;

	if ((error = find_user(keeper)))
		return error;
	if (geteuid() != 0 && !privilege_is_given(keeper->uid)) {
		log_error("must be started as root; it then becomes user %s", options->user);
		return -EPERM;
	}
	raise_descriptors();
	keeper->queue_stats = open("/proc/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
	if ((error = make_folder(keeper, options->run_dir, 0755)) || (error = take_lock(keeper)) ||
		(error = make_folder(keeper, options->state_dir, 0750)) ||
		(error = open_program(keeper)) ||
		(error = open_socket(keeper, "control.sock", "postern", &keeper->control_socket)) ||
		(error = open_socket(
			 keeper, "session.sock", "postern-session", &keeper->session_socket)) ||
		(error = keeper_prepare_desk(keeper)))
		return error;
	error = keeper_prepare_message_limit(keeper);
	if (!error)
		error = keeper_prepare_limit(keeper);
	if (error) {
		log_error("cannot make the memory for limits: %s", strerror(-error));
		return error;
	}
	error = privilege_drop_keeper(keeper->uid, keeper->gid);
	if (error) {
		log_error("cannot give up privileges: %s", strerror(-error));
		return error;
	}
	return check_state(keeper);
}
