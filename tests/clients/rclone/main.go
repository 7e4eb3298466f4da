// rclone with what the tests need of it: the local file system, S3, `sync` and `check`. The code is rclone's own; only
// what is linked in is less, so that it is built in a minute.
package main

import (
	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/s3"
	"github.com/rclone/rclone/cmd"
	_ "github.com/rclone/rclone/cmd/check"
	_ "github.com/rclone/rclone/cmd/sync"
)

func main() {
	cmd.Main()
}
