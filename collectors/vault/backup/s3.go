package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options name a bucket in S3-compatible storage.
type S3Options struct {
	Endpoint  string // https://HOST[:PORT]; http only where the machine or the network in between is trusted
	Region    string // empty: us-east-1
	Bucket    string
	Prefix    string // within the bucket, without a slash at either end
	AccessKey string
	SecretKey string
}

// S3 is a Store in a bucket.
type S3 struct {
	o      S3Options
	client *minio.Client
}

// OpenS3 reaches the bucket, which must be there.
func OpenS3(ctx context.Context, o S3Options) (*S3, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("the endpoint %q is not of the form https://HOST[:PORT]", o.Endpoint)
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	o.Prefix = cleanPrefix(o.Prefix)
	c, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https", Region: o.Region, MaxRetries: 5,
		BucketLookup: minio.BucketLookupAuto,
	})
	if err != nil {
		return nil, err
	}
	s := &S3{o, c}
	// Listing says more than asking for the bucket: a missing one, a refused one and one that answers are told apart.
	for obj := range c.ListObjects(ctx, o.Bucket, minio.ListObjectsOptions{Prefix: o.Prefix + nameMarker, MaxKeys: 1}) {
		if obj.Err != nil {
			return nil, s.explain("reach", "", obj.Err)
		}
	}
	return s, ctx.Err()
}

// Put implements Store. The storage checks the bytes against a checksum that is sent with them.
func (s *S3) Put(ctx context.Context, name string, r io.ReadSeeker, size int64) error {
	_, err := s.client.PutObject(ctx, s.o.Bucket, s.o.Prefix+name, r, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", SendContentMd5: true,
	})
	return s.explain("write", name, err)
}

// Get implements Store.
func (s *S3) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := s.client.GetObject(ctx, s.o.Bucket, s.o.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.explain("read", name, err)
	}
	if _, err := o.Stat(); err != nil {
		o.Close()
		return nil, s.explain("read", name, err)
	}
	return o, nil
}

// List implements Store.
func (s *S3) List(ctx context.Context, prefix string, fn func(Object) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range s.client.ListObjects(ctx, s.o.Bucket, minio.ListObjectsOptions{Prefix: s.o.Prefix + prefix, Recursive: true}) {
		if o.Err != nil {
			return s.explain("list", prefix, o.Err)
		}
		if strings.HasSuffix(o.Key, "/") {
			continue
		}
		if err := fn(Object{strings.TrimPrefix(o.Key, s.o.Prefix), o.Size, o.LastModified}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := s.client.RemoveObject(ctx, s.o.Bucket, s.o.Prefix+name, minio.RemoveObjectOptions{}); err != nil {
			if err := s.explain("delete", name, err); !isMissing(err) {
				return err
			}
		}
	}
	return nil
}

// explain makes the storage's answer a sentence.
func (s *S3) explain(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	var cause error
	r := minio.ToErrorResponse(err)
	switch {
	case r.Code == minio.NoSuchBucket:
		cause = ErrNoBucket
	case r.Code == minio.AccessDenied, strings.EqualFold(r.Code, "InvalidAccessKeyId"), r.Code == "SignatureDoesNotMatch", r.Code == "XAdminUserNotFound", r.StatusCode == http.StatusForbidden:
		cause = ErrDenied
	case r.Code == minio.NoSuchKey, r.StatusCode == http.StatusNotFound:
		cause = fs.ErrNotExist
	case r.Code == "QuotaExceeded", r.Code == "XMinioStorageFull", r.StatusCode == http.StatusInsufficientStorage:
		cause = ErrFull
	}
	what := fmt.Sprintf("%s s3://%s/%s%s", verb, s.o.Bucket, s.o.Prefix, name)
	if cause == nil {
		return fmt.Errorf("%s at %s: %w", what, s.o.Endpoint, err)
	}
	return fmt.Errorf("%s: %w", what, errors.Join(cause, err))
}
