"""One scene, one file: each sends real messages and looks at what became of them."""
