package wire

import (
	"image"
	"io"

	"github.com/sallyport/sallyport/biometrics"
)

// Serve is a worker's whole conversation: hello, then an answer to each request,
// until in ends, which is nil. An error of analyze is answered as a failure and
// does not end the conversation; faces beyond MaxFaces are left out, since a
// capture is refused at two.
func Serve(in io.Reader, out io.Writer, hello Hello, analyze func(*image.YCbCr) ([]biometrics.Face, error)) error {
	payload, err := EncodeHello(hello)
	if err != nil {
		return err
	}
	err = Write(out, Message{Type: TypeHello, Payload: payload})
	if err != nil {
		return err
	}
	for {
		request, err := Read(in, TypeAnalyze)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		reply := answer(request, analyze)
		clear(request.Payload)
		err = Write(out, reply)
		if err != nil {
			return err
		}
	}
}

func answer(request Message, analyze func(*image.YCbCr) ([]biometrics.Face, error)) Message {
	faces, err := look(request.Payload, analyze)
	if err != nil {
		return Message{Type: TypeFailure, ID: request.ID, Payload: EncodeFailure(err.Error())}
	}
	payload, err := EncodeFaces(faces[:min(len(faces), MaxFaces)])
	if err != nil {
		return Message{Type: TypeFailure, ID: request.ID, Payload: EncodeFailure(err.Error())}
	}
	return Message{Type: TypeFaces, ID: request.ID, Payload: payload}
}

func look(payload []byte, analyze func(*image.YCbCr) ([]biometrics.Face, error)) ([]biometrics.Face, error) {
	img, err := DecodeFrame(payload)
	if err != nil {
		return nil, err
	}
	return analyze(img)
}
