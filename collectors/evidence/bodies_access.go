package evidence

// BundleBuilt says that a bundle left the log. Subject: cN, aN or v0.
type BundleBuilt struct {
	Name        string `json:"name"`        // the bag's folder
	Edition     string `json:"edition"`     // standard, full
	TagManifest Digest `json:"tagmanifest"` // SHA-256 of tagmanifest-sha256.txt, which covers every byte of the bag
	TreeSize    int64  `json:"tree_size"`   // of the checkpoint in the bag
	Records     int    `json:"records"`     // records in the bag
	Signer      string `json:"signer"`      // identity in allowed_signers
	Recipient   string `json:"recipient,omitempty"`
	Purpose     string `json:"purpose,omitempty"`
	// Posts are the exhibits of a bundle that names posts instead of a case or an account.
	Posts []Ordinal `json:"posts,omitempty"`
}

// Access says that somebody looked. Subject: what was looked at.
type Access struct {
	What string `json:"what"`           // show, queue, search, export …
	Via  string `json:"via"`            // socket, direct
	Note string `json:"note,omitempty"` // the query, the number of posts
}

// Kind implements Body.
func (*BundleBuilt) Kind() Kind { return KindBundleBuilt }

// Kind implements Body.
func (*Access) Kind() Kind { return KindAccess }

// Schema implements Body.
func (*BundleBuilt) Schema() int { return 1 }

// Schema implements Body.
func (*Access) Schema() int { return 1 }
