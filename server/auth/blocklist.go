package auth

import (
	"strings"
	"sync"

	"github.com/ccojocar/zxcvbn-go/frequency"
)

// common holds what people choose first: the leaked-password list and the
// words and names that zxcvbn ships, and the commonest passwords doubled or
// with the endings that a length rule makes people add. A password is compared
// whole, never by its parts (NIST SP 800-63B-4 section 3.1.1.2).
var common = sync.OnceValue(func() map[string]struct{} {
	set := map[string]struct{}{}
	add := func(word string) {
		if len(word) >= 8 { // shorter ones are refused for their length
			set[word] = struct{}{}
		}
	}
	for _, list := range frequency.Lists {
		for _, word := range list.List {
			add(strings.ToLower(word))
		}
	}
	for _, word := range frequency.Lists["Passwords"].List {
		word = strings.ToLower(word)
		add(word + word)
		for _, ending := range []string{"1", "12", "123", "1234", "12345", "!", "1!", "123!", "01", "69", "2024", "2025", "2026"} {
			add(word + ending)
		}
	}
	return set
})

func isCommon(folded string) bool {
	_, ok := common()[folded]
	return ok
}
