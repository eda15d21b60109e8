package worker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// processAttributes put a worker into a session of its own and have the kernel kill
// it when the thread that started it is gone: a server that is killed leaves no worker
// behind. A session, not just a process group, because the kernel shares out cores
// among sessions first (autogroups): in the server's, niceness would let the server go
// first and not Postgres.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// residentBytes is the physical memory of a process, 0 if it is gone.
func residentBytes(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "VmRSS:" {
			kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// widen has a pipe hold a whole frame, so that handing one over is one write and no
// waiting for a worker that lets others go first. The kernel may refuse, which costs
// no more than that.
func widen(pipe *os.File) {
	const setPipeSize = 1031 // F_SETPIPE_SZ, which package syscall lacks
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, fd, setPipeSize, 1<<20) })
}
