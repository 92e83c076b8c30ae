// Package suites names the module whose own tests `cargo xtask suites` runs; nothing is built from here.
package suites

import _ "github.com/twmb/franz-go/pkg/kgo"
