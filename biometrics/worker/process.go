package worker

import "github.com/sallyport/sallyport/biometrics"

// Process is what is known of one worker of a pool, for metrics and admins.
type Process struct {
	PID      int             // 0 while the worker is not up
	Restarts int             // how often it was started again
	Resident int64           // bytes of physical memory; 0 where that can't be read
	BLAS     biometrics.BLAS // of its last hello
}

// Processes tells of every worker, in the order of Event.Worker. It reads
// their memory from the system, so it is for scrapes and not for every request.
func (p *Pool) Processes() []Process {
	p.mu.Lock()
	out := make([]Process, len(p.slots))
	for i, s := range p.slots {
		out[i] = Process{PID: s.pid, Restarts: max(0, s.starts-1), BLAS: s.blas}
	}
	p.mu.Unlock()
	for i := range out {
		if out[i].PID != 0 {
			out[i].Resident = residentBytes(out[i].PID)
		}
	}
	return out
}
