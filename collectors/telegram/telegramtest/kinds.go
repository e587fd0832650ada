package telegramtest

// Paid is media that is sold. The account that looks has bought it or sees its outline.
type Paid struct {
	Stars  int64
	Bought bool
	Photos []*Photo
	Videos []*Document
}

// Venue is a named place.
type Venue struct {
	Geo
	Title, Address, Type, Provider, ID string
}

// Contact is somebody's contact. User is 0 where the number is not of an account.
type Contact struct {
	Phone, FirstName, LastName, Card string
	User                             int64
}

// Game is a bot's game.
type Game struct {
	ID                 int64
	Title, Description string
	Photo              *Photo
}

// Invoice offers something for sale; Picture is an address outside of the platform.
type Invoice struct {
	Title, Description, Currency, Picture string
	Amount                                int64 // in the currency's smallest unit
}

// Giveaway announces prizes, or with Winners its end.
type Giveaway struct {
	Channels  []int64
	Prize     string
	Quantity  int
	Months    int
	Until     int // Unix seconds, UTC
	Ended     bool
	Winners   []int64 // users, when it has ended
	Unclaimed int
}

// Dice is a rolled die or another emoji with a value.
type Dice struct {
	Emoji string
	Value int
}

// Todo is a list of things to do; DoneBy are the users who did them, one each.
type Todo struct {
	Title  string
	Items  []string
	DoneBy []int64
}

// StoryLink shares a story of a channel or, with User, of a person.
type StoryLink struct {
	Channel, User int64
	ID            int
}

// Reply says more of what a post answers than Post.ReplyTo: a quote, or a post of another channel, or a story.
type Reply struct {
	Channel int64 // where the post or story is, when it is another channel
	Post    int
	Story   int
	Name    string // of an author who hides
	Quote   string
	Offset  int
	Media   bool // what is answered carried a photo
}

// FactCheck is a fact checker's note.
type FactCheck struct{ Country, Text string }

// photos lists every photo of the post, so that each gets its id and its bytes.
func (p *Post) photos() []*Photo {
	list := []*Photo{p.Photo}
	if p.WebPage != nil {
		list = append(list, p.WebPage.Photo)
	}
	if p.Game != nil {
		list = append(list, p.Game.Photo)
	}
	if p.Document != nil {
		list = append(list, p.Document.Cover)
	}
	if p.Paid != nil {
		list = append(list, p.Paid.Photos...)
	}
	return list
}

func (p *Post) documents() []*Document {
	list := []*Document{p.Document}
	if p.Paid != nil {
		list = append(list, p.Paid.Videos...)
	}
	return list
}

func (p *Post) hasFile() bool {
	for _, x := range p.photos() {
		if x != nil {
			return true
		}
	}
	for _, x := range p.documents() {
		if x != nil {
			return true
		}
	}
	return false
}

// cloneKinds copies what a post holds by reference, for clone.
func (p *Post) cloneKinds() {
	p.Venue, p.Contact, p.Game, p.Invoice = copied(p.Venue), copied(p.Contact), copied(p.Game), copied(p.Invoice)
	p.Giveaway, p.Dice, p.Todo, p.Story = copied(p.Giveaway), copied(p.Dice), copied(p.Todo), copied(p.Story)
	p.Reply, p.FactCheck = copied(p.Reply), copied(p.FactCheck)
	p.Recent = append([]int64(nil), p.Recent...)
	if p.WebPage != nil {
		p.WebPage.Photo = copied(p.WebPage.Photo)
	}
	if p.Game != nil {
		p.Game.Photo = copied(p.Game.Photo)
	}
	if p.Document != nil {
		p.Document.Cover = copied(p.Document.Cover)
	}
	if p.Paid = copied(p.Paid); p.Paid != nil {
		p.Paid.Photos = append([]*Photo(nil), p.Paid.Photos...)
		for i, x := range p.Paid.Photos {
			p.Paid.Photos[i] = copied(x)
		}
		p.Paid.Videos = append([]*Document(nil), p.Paid.Videos...)
		for i, x := range p.Paid.Videos {
			p.Paid.Videos[i] = copied(x)
		}
	}
}
