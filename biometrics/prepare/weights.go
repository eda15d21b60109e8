package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// tensor is one entry of TensorFlow.js' weights manifest.
type tensor struct {
	Name         string `json:"name"`
	Shape        []int  `json:"shape"`
	DType        string `json:"dtype"`
	Quantization *struct {
		DType string  `json:"dtype"`
		Scale float64 `json:"scale"`
		Min   float64 `json:"min"`
	} `json:"quantization"`
}

// dequantise returns the weights as little-endian float32, in the order of the
// layout. Tensors are stored as single bytes q that stand for min + scale*q, or as
// float32 where that was too coarse.
func dequantise(layout, data []byte) ([]byte, error) {
	var groups []struct {
		Weights []tensor `json:"weights"`
	}
	err := json.Unmarshal(layout, &groups)
	if err != nil {
		return nil, fmt.Errorf("weights manifest: %w", err)
	}
	if len(groups) != 1 {
		return nil, fmt.Errorf("weights manifest of %d groups, want 1", len(groups))
	}
	var out []byte
	for _, t := range groups[0].Weights {
		size := 1
		for _, n := range t.Shape {
			if n <= 0 || size > maxModel/n {
				return nil, fmt.Errorf("weights %s have shape %v", t.Name, t.Shape)
			}
			size *= n
		}
		stored := size
		if t.Quantization == nil {
			stored = 4 * size
		}
		if t.DType != "float32" || t.Quantization != nil && t.Quantization.DType != "uint8" {
			return nil, fmt.Errorf("weights %s are of a type we don't convert", t.Name)
		}
		if stored > len(data) {
			return nil, fmt.Errorf("weights end within %s", t.Name)
		}
		if t.Quantization == nil {
			out = append(out, data[:stored]...)
		} else {
			for _, q := range data[:stored] {
				// The conversion of the product keeps compilers from fusing it with
				// the sum, which would give other bytes on other machines.
				v := float64(float64(q)*t.Quantization.Scale) + t.Quantization.Min
				out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(v)))
			}
		}
		data = data[stored:]
	}
	if len(data) != 0 {
		return nil, errors.New("bytes behind the last weights")
	}
	return out, nil
}
