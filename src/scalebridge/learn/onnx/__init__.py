"""What surrogates answer, written as graphs of ONNX operators; see `scalebridge.learn.onnx_export`."""
