// Package all is the one list of platforms. A new platform is one folder and one line here. It may import every platform, and connectors.
package all

import (
	"watchkeeper/connectors"
	"watchkeeper/connectors/aliexpress"
	"watchkeeper/connectors/easypost"
	"watchkeeper/connectors/track17"
)

// Platforms gives the registry of every platform we know.
func Platforms() connectors.Registry {
	return connectors.Registry{aliexpress.Platform, easypost.Platform, track17.Platform}
}
