//go:build goexperiment.simd

package device

// SIMD says whether the pure Go backend was built with vector instructions (GOEXPERIMENT=simd).
const SIMD = true
