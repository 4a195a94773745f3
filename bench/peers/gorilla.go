// net/http, with gorilla/sessions and its store of files: gorilla PORT on|off DIRECTORY
// (It has no store in memory.)
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/gorilla/sessions"
)

func main() {
	port, on := os.Args[1], os.Args[2] == "on"
	store := sessions.NewFilesystemStore(os.Args[3], []byte("of the bench, and thirty-two more"))
	var counts int64
	with := func(handler func(s *sessions.Session, r *http.Request) (answer string, save bool)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			session, err := store.Get(r, "sid")
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			answer, save := handler(session, r)
			if save {
				if err := session.Save(r, w); err != nil {
					http.Error(w, err.Error(), 500)
					return
				}
			}
			fmt.Fprintln(w, answer)
		}
	}
	if on {
		http.HandleFunc("/login", with(func(s *sessions.Session, r *http.Request) (string, bool) {
			s.Values["user"] = r.URL.Query().Get("user")
			s.Values["cart"] = strings.Repeat("x", 60)
			return "in", true
		}))
		http.HandleFunc("/read", with(func(s *sessions.Session, r *http.Request) (string, bool) {
			return fmt.Sprint(s.Values["user"]), false
		}))
		http.HandleFunc("/write", with(func(s *sessions.Session, r *http.Request) (string, bool) {
			count, _ := s.Values["count"].(int)
			s.Values["count"] = count + 1
			return fmt.Sprint(count + 1), true
		}))
	} else {
		http.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "user1") })
		http.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, atomic.AddInt64(&counts, 1))
		})
	}
	if err := http.ListenAndServe("127.0.0.1:"+port, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
