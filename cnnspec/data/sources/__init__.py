"""Where data come from: folders of images, well-known sets, what is fetched."""
