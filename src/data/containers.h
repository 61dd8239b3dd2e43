// The two kinds of container, as PictureReader opens them. Throw Error{not_found, io, data}.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "data/pictures.h"

namespace diptych {

// A member's index counts all members of the tar.
std::unique_ptr<ContainedPictures> open_tar_pictures(const std::filesystem::path& path);

// Of Parquet or Arrow: a column of bytes, or of Hugging Face's {bytes, path}, whose path names a
// file beside the table where there are no bytes.
std::unique_ptr<ContainedPictures> open_table_pictures(const std::filesystem::path& path,
                                                       const std::string& column);

}  // namespace diptych
