package chatexport

// fields are one message's values, undecoded, in place in the message's bytes.
type fields struct {
	id, typ, date, dateUnix, edited, editedUnix        []byte
	fromID, author, actorID, action                    []byte
	forwardedFrom, forwardedFromID, forwardedDate      []byte
	replyTo, replyPeer                                 []byte
	text                                               []byte
	photo, photoSize, file, fileName, fileSize         []byte
	thumbnail, thumbnailSize                           []byte
	mediaType, mime, duration, width, height           []byte
	sticker, performer, spoiler, ttl                   []byte
	poll, contact, vcard, location, place, address     []byte
	game, gameText, gameLink, invoice, reactions       []byte
	title, newTitle, messageID, callDuration, period   []byte
	scheduled, emoticon, boosts, winners, giveaway     []byte
	information, stars, viaBot, liveLocation, todoList []byte

	formatted    *text // of text_entities; nil where there is none
	formattedErr error
}

// slot returns where a key's value goes, nil for a key that is not read: it stays in the raw bytes.
func (f *fields) slot(key []byte) *[]byte {
	switch string(key) {
	case "id":
		return &f.id
	case "type":
		return &f.typ
	case "date":
		return &f.date
	case "date_unixtime":
		return &f.dateUnix
	case "edited":
		return &f.edited
	case "edited_unixtime":
		return &f.editedUnix
	case "from_id":
		return &f.fromID
	case "author":
		return &f.author
	case "forwarded_from":
		return &f.forwardedFrom
	case "forwarded_from_id":
		return &f.forwardedFromID
	case "forwarded_date", "forwarded_date_unixtime":
		return &f.forwardedDate
	case "reply_to_message_id":
		return &f.replyTo
	case "reply_to_peer_id":
		return &f.replyPeer
	case "text":
		return &f.text
	case "reactions":
		return &f.reactions
	}
	if s := f.mediaSlot(key); s != nil {
		return s
	}
	return f.serviceSlot(key)
}

func (f *fields) mediaSlot(key []byte) *[]byte {
	switch string(key) {
	case "photo":
		return &f.photo
	case "photo_file_size":
		return &f.photoSize
	case "file":
		return &f.file
	case "file_name":
		return &f.fileName
	case "file_size":
		return &f.fileSize
	case "thumbnail":
		return &f.thumbnail
	case "thumbnail_file_size":
		return &f.thumbnailSize
	case "media_type":
		return &f.mediaType
	case "mime_type":
		return &f.mime
	case "duration_seconds":
		return &f.duration
	case "width":
		return &f.width
	case "height":
		return &f.height
	case "sticker_emoji":
		return &f.sticker
	case "performer":
		return &f.performer
	case "media_spoiler":
		return &f.spoiler
	case "self_destruct_period_seconds":
		return &f.ttl
	case "poll":
		return &f.poll
	case "contact_information":
		return &f.contact
	case "contact_vcard":
		return &f.vcard
	case "location_information":
		return &f.location
	case "live_location_period_seconds":
		return &f.liveLocation
	case "place_name":
		return &f.place
	case "address":
		return &f.address
	case "game_title":
		return &f.game
	case "game_description":
		return &f.gameText
	case "game_link":
		return &f.gameLink
	case "invoice_information":
		return &f.invoice
	case "giveaway_information":
		return &f.giveaway
	case "paid_stars_amount":
		return &f.stars
	case "todo_list":
		return &f.todoList
	}
	return nil
}

func (f *fields) serviceSlot(key []byte) *[]byte {
	switch string(key) {
	case "actor_id":
		return &f.actorID
	case "action":
		return &f.action
	case "title":
		return &f.title
	case "new_title":
		return &f.newTitle
	case "message_id":
		return &f.messageID
	case "duration":
		return &f.callDuration
	case "period":
		return &f.period
	case "schedule_date":
		return &f.scheduled
	case "emoticon":
		return &f.emoticon
	case "boosts":
		return &f.boosts
	case "winners":
		return &f.winners
	case "information_text":
		return &f.information
	case "via_bot":
		return &f.viaBot
	}
	return nil
}

// readFields finds a message's values in its bytes. Of a key that occurs twice the last value stands, as with other readers. The
// formatted text, which is the larger part of most messages, is read on the way and not looked for first.
func readFields(raw []byte, own string) (fields, error) {
	var f fields
	s := over(raw)
	err := s.object(func(key []byte) error {
		if string(key) == "text_entities" {
			at := s.pos
			if f.formatted, f.formattedErr = readTextAt(s, own); f.formattedErr == nil {
				return nil
			}
			s.pos = at
			_, err := s.next()
			return err
		}
		v, err := s.next()
		if p := f.slot(key); p != nil && err == nil {
			*p = v
		}
		return err
	})
	return f, err
}
