"""Problems that data can pose. Each file names what passes between the four parts for one of them."""
