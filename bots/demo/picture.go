package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// picture draws a plain test card; each number gives another one.
func picture(n int) []byte {
	const w, h = 320, 200
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(n * 37), 255})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(err) // a buffer takes every byte
	}
	return buf.Bytes()
}
