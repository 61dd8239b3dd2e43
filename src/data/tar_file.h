// A tar, member after member, by libarchive: nothing is extracted and names are names, never paths.
// What is cut off or damaged ends the reading early; loss() says what was there.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace diptych {

class TarReader {
 public:
  struct Member {
    std::int64_t index = 0;  // counts every member, from 0
    std::string name;        // as it is written
    std::uint64_t size = 0;
    bool is_file = false;  // no folder, link or device
  };

  explicit TarReader(const std::filesystem::path& path);  // Throws Error{not_found, io, data}
  ~TarReader();

  const Member* next();  // null at the end
  // The bytes of the member that next() gave, once; what is beyond max_bytes is left out, and what
  // is cut off. Throws Error{data} for a sparse one.
  std::string read(std::uint64_t max_bytes);

  const std::string& loss() const {
    return loss_;
  }  // empty: the tar is whole, as far as it is read
  bool cuts_member() const { return cuts_member_; }  // the last member is not whole

 private:
  struct File;
  void end(const std::string& loss, bool cuts_member);

  std::unique_ptr<File> file_;
  Member member_;
  std::string loss_;
  bool started_ = false, over_ = false, cuts_member_ = false;
};

}  // namespace diptych
