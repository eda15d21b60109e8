//go:build dlib

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// keepMemoryPrivate keeps faces out of core dumps and this process out of reach of
// a debugger of the same user.
func keepMemoryPrivate() error {
	err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	if err != nil {
		return fmt.Errorf("switching core dumps off: %w", err)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
	if errno != 0 {
		return fmt.Errorf("making memory private: %w", errno)
	}
	return nil
}

// capMemory bounds the private writable memory of this process (RLIMIT_DATA; since
// Linux 4.7 it counts anonymous mappings too). RLIMIT_AS would count what the Go
// runtime and the C library reserve and never touch, which is ten times as much.
func capMemory(bytes uint64) error {
	err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes})
	if err != nil {
		return fmt.Errorf("capping memory at %d bytes: %w", bytes, err)
	}
	return nil
}

// yieldTo lets processes that are less nice go first. On Linux niceness belongs to
// a thread, and a new thread has its maker's: so every thread that the runtime has
// started by now is told, until a look at all of them finds none to tell.
func yieldTo(nice int) error {
	for told := true; told; {
		told = false
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("lowering priority: %w", err)
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				return fmt.Errorf("lowering priority: thread %q", thread.Name())
			}
			raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, id)
			// The bare call answers 20 minus the niceness, so that it is never negative.
			if err == syscall.ESRCH || err == nil && 20-raw >= nice {
				continue // it has ended, or it yields already
			}
			if err == nil {
				err = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice)
			}
			if err != nil && err != syscall.ESRCH {
				return fmt.Errorf("lowering priority to %d: %w", nice, err)
			}
			told = true
		}
	}
	return yieldSession(nice)
}

// yieldSession has the worker's session let others go first, as niceness does within
// one. The pool gives each worker a session; where the kernel keeps none apart
// (CONFIG_SCHED_AUTOGROUP), or control groups do it, there is nothing to be told.
func yieldSession(nice int) error {
	const file = "/proc/self/autogroup"
	for range 20 {
		err := os.WriteFile(file, []byte(strconv.Itoa(nice)), 0)
		switch {
		case errors.Is(err, syscall.EAGAIN): // more than ten changes a second on this machine
			time.Sleep(100 * time.Millisecond)
		case err == nil, errors.Is(err, os.ErrNotExist):
			return nil
		default:
			return fmt.Errorf("lowering priority of the session to %d: %w", nice, err)
		}
	}
	return fmt.Errorf("lowering priority of the session to %d: the kernel has no time for it", nice)
}

// claimStdout takes standard output for the protocol and sends whatever a library
// prints there to standard error.
func claimStdout() (*os.File, error) {
	fd, err := syscall.Dup(1)
	if err != nil {
		return nil, fmt.Errorf("claiming stdout: %w", err)
	}
	syscall.CloseOnExec(fd)
	err = syscall.Dup3(2, 1, 0)
	if err != nil {
		return nil, fmt.Errorf("claiming stdout: %w", err)
	}
	return os.NewFile(uintptr(fd), "protocol"), nil
}
