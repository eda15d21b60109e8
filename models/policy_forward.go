package models

import (
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ForwardPolicy says who gets to apps behind a proxy that asks Sallyport first.
type ForwardPolicy struct {
	Rules []ForwardRule `yaml:"rules,omitempty" json:"rules"`
}

// ForwardRule is what an app asks for below a path. What no rule names is refused.
type ForwardRule struct {
	// Host is the app's, in lower case and with its port where that is neither 80 nor 443.
	// A leading "*." stands for one label: such rules count for hosts that none names.
	Host string `yaml:"host" json:"host"`
	// Path is a prefix at the border of a segment, regardless of case; "" is all of the
	// host. The longest counts.
	Path string `yaml:"path,omitempty" json:"path"`
	// ACR is the least context, mfa or aal2; at "" any session that is signed in will do.
	ACR ACR `yaml:"acr,omitempty" json:"acr"`
	// Groups are those of which the person has to be in one; none asks for none.
	Groups []string `yaml:"groups,omitempty" json:"groups"`
	// MaxAge is how old the newest proof may be; at 0 as old as the session.
	MaxAge Duration `yaml:"max_age,omitempty" json:"max_age"`
	// Public lets everybody in, and tells the app of nobody.
	Public bool `yaml:"public,omitempty" json:"public"`
}

// Rule is the one that judges a path of a host. A host that rules name is judged by
// these alone, whatever others say of its domain.
func (p ForwardPolicy) Rule(host, path string) (ForwardRule, bool) {
	var found ForwardRule
	var ok bool
	of := p.naming(host)
	for _, r := range p.Rules {
		if r.Host == of && r.covers(path) && (!ok || len(r.Path) > len(found.Path)) {
			found, ok = r, true
		}
	}
	return found, ok
}

// Names tells whether any rule is about the host.
func (p ForwardPolicy) Names(host string) bool { return p.naming(host) != "" }

// naming is the host as rules name it, "" where none does.
func (p ForwardPolicy) naming(host string) string {
	wild := ""
	_, domain, _ := strings.Cut(host, ".")
	for _, r := range p.Rules {
		switch r.Host {
		case host:
			return host
		case "*." + domain:
			wild = r.Host
		}
	}
	return wild
}

// covers tells whether the path lies below the rule's. Some apps take paths regardless
// of case: then so do rules.
func (r ForwardRule) covers(path string) bool {
	prefix := strings.TrimSuffix(r.Path, "/")
	if len(path) < len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) {
		return false
	}
	return len(path) == len(prefix) || path[len(prefix)] == '/' || prefix == ""
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)

// ForwardHost reads the host of a request: in lower case, and without the port where
// that is 80 or 443.
func ForwardHost(text string) (host string, ok bool) {
	name, port := strings.ToLower(text), ""
	if strings.Contains(name, ":") {
		var err error
		if name, port, err = net.SplitHostPort(name); err != nil {
			return "", false
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port != strconv.FormatUint(n, 10) {
			return "", false
		}
	}
	if len(name) > 253 || !hostName.MatchString(name) {
		return "", false
	}
	if port == "" || port == "80" || port == "443" {
		return name, true
	}
	return name + ":" + port, true
}

func (p Policy) validateForward(bad func(key, format string, args ...any)) {
	seen := map[string]int{}
	for i, r := range p.Forward.Rules {
		n := i + 1
		key := func(field string) string { return "forward_auth.rules." + strconv.Itoa(n) + field }
		named := strings.TrimPrefix(r.Host, "*.")
		if host, ok := ForwardHost(named); !ok || host != named {
			bad(key(".host"), "must be a host's name in lower case, without 80 or 443 for a port, is %q", r.Host)
		}
		if r.Path != "" && !PlainPath(r.Path) {
			bad(key(".path"), "must begin with / and be written as plainly as it can be, is %q", r.Path)
		}
		if r.ACR != "" && r.ACR.Level() != 2 {
			bad(key(".acr"), "must be aal2 or mfa, is %q", r.ACR)
		}
		if r.MaxAge != 0 && (r.MaxAge.Std() < time.Minute || r.MaxAge.Std() > 30*24*time.Hour) {
			bad(key(".max_age"), "must be between 1m and 720h, is %s", r.MaxAge)
		}
		for _, group := range r.Groups {
			if !GroupName(group) {
				bad(key(".groups"), "%q is no group's name", group)
			}
		}
		if r.Public && (r.ACR != "" || len(r.Groups) > 0 || r.MaxAge != 0) {
			bad(key(".public"), "can't ask for anything beside")
		}
		same := r.Host + strings.ToLower(strings.TrimSuffix(r.Path, "/"))
		if other, ok := seen[same]; ok {
			bad(key(""), "is about the same host and path as rule %d", other)
		}
		seen[same] = n
	}
}
