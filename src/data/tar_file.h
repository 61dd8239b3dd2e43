// A tar, member after member, by libarchive: nothing is extracted and names are names, never paths.
// What is cut off or damaged ends the reading early; loss() says what was there.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

struct archive;

namespace diptych {

class TarReader {
 public:
  struct Member {
    std::int64_t index = 0;  // counts every member, from 0
    std::string name;        // as it is written
    std::int64_t size = 0;
    bool is_file = false;  // no folder, link, device or file with holes
  };

  explicit TarReader(const std::filesystem::path& path);  // Throws Error{not_found, io, data}

  const Member* next();  // null at the end
  // The bytes of the member that next() gave, once; what is beyond max_bytes is left out.
  std::string read(std::int64_t max_bytes);

  const std::string& loss() const {
    return loss_;
  }  // empty: the tar is whole, as far as it is read
  bool cuts_member() const { return cuts_member_; }  // the last member is not whole

 private:
  [[noreturn]] void refuse() const;
  void end(const std::string& loss, bool cuts_member);

  std::filesystem::path path_;
  std::int64_t size_ = 0;
  std::unique_ptr<archive, int (*)(archive*)> handle_;
  Member member_;
  std::string loss_;
  bool started_ = false, over_ = false, cuts_member_ = false;
};

}  // namespace diptych
