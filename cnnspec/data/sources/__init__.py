"""Sources of data: folders of images, well-known sets, what is fetched."""
