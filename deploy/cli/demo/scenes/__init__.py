"""One scene, one file, in folders by what they show: each sends real messages and looks at what
became of them."""
