/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* What the keeper keeps. Nothing goes without the first; one that joins later an upgrade in place
 * can not gain. */
static const struct {
	cap_value_t cap;
	const char *name;
} kept[] = {{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"}};
#define KEPT (sizeof(kept) / sizeof(kept[0]))

static bool holds(cap_value_t cap)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t has = CAP_CLEAR;
	bool held = caps && cap_get_flag(caps, cap, CAP_PERMITTED, &has) == 0 && has == CAP_SET;

	cap_free(caps);
	return held;
}

/* Those of the set that we hold: how many. */
static int find_held(cap_value_t held[static KEPT])
{
	int n = 0;

	for (size_t i = 0; i < KEPT; i++)
		if (holds(kept[i].cap))
			held[n++] = kept[i].cap;
	return n;
}

/* Of what is held the set alone stays. */
static int keep_set(void)
{
	cap_value_t held[KEPT];
	int n = find_held(held), error = 0;
	cap_t caps = cap_init(); /* all empty */

	if (!caps)
		return -ENOMEM;
	if (!holds(kept[0].cap))
		error = -EPERM;
	else if (cap_set_flag(caps, CAP_PERMITTED, n, held, CAP_SET) < 0 ||
		 cap_set_flag(caps, CAP_EFFECTIVE, n, held, CAP_SET) < 0 ||
		 cap_set_flag(caps, CAP_INHERITABLE, n, held, CAP_SET) < 0 ||
		 cap_set_proc(caps) < 0)
		error = -errno;
	cap_free(caps);
	return error;
}

/* Without it nothing can be carried over an exec, and it cannot be had when the bounding set is
 * empty. By itself it gives a program nothing: no file has capabilities for us. */
static int make_inheritable(void)
{
	cap_value_t held[KEPT];
	int n = find_held(held), error = 0;
	cap_t caps = cap_get_proc();

	if (!caps)
		return -errno;
	if (cap_set_flag(caps, CAP_INHERITABLE, n, held, CAP_SET) < 0 || cap_set_proc(caps) < 0)
		error = -errno;
	cap_free(caps);
	return error;
}

const char *privilege_lacking(void)
{
	for (size_t i = 0; i < KEPT; i++)
		if (!holds(kept[i].cap))
			return kept[i].name;
	return NULL;
}

static int drop_bounding_set(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_drop_bound(cap) < 0)
			return -errno;
	return 0;
}

/* No core and no tracing: memory holds session data. */
static int close_memory(void)
{
	const struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return 0;
}

bool privilege_is_given(uid_t uid)
{
	return uid != 0 && getuid() == uid && geteuid() == uid && holds(kept[0].cap) &&
	       holds(CAP_SETPCAP);
}

int privilege_drop_keeper(uid_t uid, gid_t gid)
{
	int error = holds(kept[0].cap) ? make_inheritable() : -EPERM;
	if (!error)
		error = drop_bounding_set();
	if (error)
		return error;
	/* who is the user already cannot change groups, and was given those that it shall have */
	if (geteuid() != uid &&
		(setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, 1) < 0 ||
			setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		return -errno;
	cap_reset_ambient();
	error = keep_set();
	if (error)
		return error;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* the change of user cleared nothing else: say so rather than believe it */
	if (getuid() == 0 || geteuid() == 0 || setuid(0) == 0)
		return -EPERM;
	return close_memory();
}

int privilege_carry_keeper(bool on)
{
	if (!on)
		return cap_reset_ambient() < 0 ? -errno : 0;
	cap_value_t held[KEPT];
	int n = find_held(held);

	for (int i = 0; i < n; i++)
		if (cap_set_ambient(held[i], CAP_SET) < 0)
			return -errno;
	return 0;
}

int privilege_resume_keeper(void)
{
	if (cap_reset_ambient() < 0)
		return -errno;
	int error = keep_set();
	if (error)
		return error;
	if (getuid() == 0 || geteuid() == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -EPERM;
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_get_bound(cap) > 0)
			return -EPERM;
	return close_memory();
}

int privilege_drop_all(void)
{
	cap_t none = cap_init();
	int error = 0;

	if (!none)
		return -ENOMEM;
	if (cap_set_proc(none) < 0)
		error = -errno;
	cap_free(none);
	return error;
}

int privilege_check_child(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	cap_t caps = cap_get_proc();
	if (!caps)
		return -errno;
	int error = 0;
	cap_t none = cap_init();
	if (!none || cap_compare(caps, none) != 0)
		error = -EPERM;
	cap_free(none);
	cap_free(caps);
	return error ? error : close_memory();
}

/* Ends the process: no code of ours comes near these. */
static const int fatal[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(capset),
};

/* Memory, time, sockets, waiting: what all need. */
static const int all[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwritev2), /* the log's: a write that does not wait */
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(dup),
	SCMP_SYS(dup3),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(lseek),
	SCMP_SYS(ioctl),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(signalfd4),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(futex_waitv),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(membarrier),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Connections of others, and bulk. */
static const int flows[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(splice),
	SCMP_SYS(tee),
	SCMP_SYS(pipe2),
};

/* Connections of others. */
static const int accepting[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
};

/* Files that it was given, open. */
static const int spooling[] = {
	SCMP_SYS(pread64),
	SCMP_SYS(preadv2),
	SCMP_SYS(pwritev),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fstatfs),
};

/* Listening anew where a policy says so. */
static const int listening[] = {
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
};

/* The state folder, the policy and its lists, what `doctor` reads below /proc, and the sealed
 * memory in which policies travel. */
static const int files[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(creat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(preadv2),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(truncate),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64),
	SCMP_SYS(flock),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(utimensat),
	SCMP_SYS(umask),
	SCMP_SYS(memfd_create),
	SCMP_SYS(msync),
	SCMP_SYS(mlock),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
};

static int add_list(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int error = seccomp_rule_add(ctx, action, calls[i], 0);
		if (error && error != -EDOM) /* no such call on this architecture */
			return error;
	}
	return 0;
}
#define ADD_LIST(ctx, action, calls) \
	add_list(ctx, action, calls, sizeof(calls) / sizeof((calls)[0]))

/* Allows the call when so many low bits of one argument are as wanted. */
static int allow_when(
	scmp_filter_ctx ctx, int call, unsigned argument, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp wanted = {argument, SCMP_CMP_MASKED_EQ, mask, value};
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &wanted);
}

#define WHOLE 0xffffffffU

/* Calls that are harmless only with certain arguments. */
static int allow_some(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX /* syslog */};
	static const int prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(families) / sizeof(families[0]); i++)
		error = allow_when(ctx, SCMP_SYS(socket), 0, WHOLE, (uint64_t)families[i]);
	for (size_t i = 0; !error && i < sizeof(prctls) / sizeof(prctls[0]); i++)
		error = allow_when(ctx, SCMP_SYS(prctl), 0, WHOLE, (uint64_t)prctls[i]);
	/* abort() signals oneself */
	if (!error)
		error = allow_when(ctx, SCMP_SYS(tgkill), 0, WHOLE, (uint64_t)getpid());
	if (!error)
		error = allow_when(ctx, SCMP_SYS(prlimit64), 0, WHOLE, 0);
	/* fstat() of the C library; with a path it would tell a file's length and owner, no more */
	if (!error)
		error = allow_when(ctx, SCMP_SYS(newfstatat), 3, WHOLE, AT_EMPTY_PATH);
	return error;
}

/* Files, threads, and reading routes and addresses. */
static int allow_files(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp route[] = {{0, SCMP_CMP_MASKED_EQ, WHOLE, AF_NETLINK},
		{2, SCMP_CMP_MASKED_EQ, WHOLE, NETLINK_ROUTE}};
	const uint64_t thread = CLONE_THREAD | CLONE_VM;
	int error = ADD_LIST(ctx, SCMP_ACT_ALLOW, files);

	if (!error)
		error = allow_when(ctx, SCMP_SYS(clone), 0, thread, thread);
	/* its flags stand in memory, where no filter sees them: the C library then uses clone() */
	if (!error)
		error = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!error)
		error = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, route);
	if (!error)
		error = allow_when(ctx, SCMP_SYS(socketpair), 0, WHOLE, AF_UNIX);
	return error;
}

int privilege_enter(unsigned privileges)
{
	/* A sanitizer maps, reads /proc and starts threads when it reports: it keeps all but the
	 * dangerous. */
	scmp_filter_ctx ctx = seccomp_init(SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return -ENOMEM;
	int error = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!error)
		error = ADD_LIST(ctx, SCMP_ACT_KILL_PROCESS, fatal);
	if (!error && SANITIZED)
		goto load;
	if (!error)
		error = ADD_LIST(ctx, SCMP_ACT_ALLOW, all);
	if (!error)
		error = allow_some(ctx);
	if (!error && (privileges & PRIVILEGE_FLOWS))
		error = ADD_LIST(ctx, SCMP_ACT_ALLOW, flows);
	if (!error && (privileges & PRIVILEGE_LISTEN))
		error = ADD_LIST(ctx, SCMP_ACT_ALLOW, listening);
	if (!error && (privileges & PRIVILEGE_ACCEPT))
		error = ADD_LIST(ctx, SCMP_ACT_ALLOW, accepting);
	if (!error && (privileges & PRIVILEGE_SPOOL))
		error = ADD_LIST(ctx, SCMP_ACT_ALLOW, spooling);
	if (!error && (privileges & PRIVILEGE_FILES))
		error = allow_files(ctx);
load:
	if (!error)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	return error;
}
