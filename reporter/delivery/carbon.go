package delivery

import "context"

// Carbon lays a copy into an outbox before the message leaves by another way, so that what was sent can be read without the
// program. A copy that cannot be laid keeps the message from leaving.
type Carbon struct {
	Copy *Outbox
	Way  Courier
}

// Route implements Courier: the way by which the message really leaves.
func (c *Carbon) Route() string { return c.Way.Route() }

// Send implements Courier. The receipt is the way's.
func (c *Carbon) Send(ctx context.Context, m Message) (string, error) {
	if _, err := c.Copy.Send(ctx, m); err != nil {
		return "", err
	}
	return c.Way.Send(ctx, m)
}
