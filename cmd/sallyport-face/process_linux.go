//go:build dlib

package main

import (
	"fmt"
	"os"
	"syscall"
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
