// Many texts in few blocks of memory: 16 bytes a text, and its own, or none where they lie in
// somebody else's memory that is kept (another column). A copy shares everything until one of the
// two changes.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/row_memory.h"

namespace diptych {

class TextColumn {
 public:
  using value_type = std::string_view;
  using const_iterator = RowVector<std::string_view>::const_iterator;

  TextColumn() = default;
  TextColumn(std::initializer_list<std::string_view> texts);
  TextColumn(const TextColumn& other);
  TextColumn& operator=(const TextColumn& other);
  TextColumn(TextColumn&& other) noexcept { swap(other); }
  TextColumn& operator=(TextColumn&& other) noexcept {
    swap(other);
    return *this;
  }

  std::size_t size() const { return texts_->size(); }
  bool empty() const { return texts_->empty(); }
  std::string_view operator[](std::size_t index) const { return (*texts_)[index]; }
  std::string_view back() const { return texts_->back(); }
  const_iterator begin() const { return texts_->begin(); }
  const_iterator end() const { return texts_->end(); }

  void push_back(std::string_view text);               // copied
  void set(std::size_t index, std::string_view text);  // copied; what was there takes room still
  void reserve(std::size_t size) { own().reserve(size); }
  void resize(std::size_t size);  // new ones are empty
  void assign(std::size_t size, std::string_view text);
  void append(const TextColumn& more);  // shares its bytes

  // Without a copy: the memory of the texts is kept by `keep`, before or after.
  void share(std::string_view text) { own().push_back(text); }
  void keep(std::shared_ptr<const void> owner);
  void keep(const TextColumn& owner);

 private:
  void swap(TextColumn& other) noexcept;
  using Texts = RowVector<std::string_view>;
  Texts& own() {
    if (texts_.use_count() > 1) texts_ = std::make_shared<Texts>(*texts_);
    return *texts_;
  }
  std::string_view copied(std::string_view text);

  std::shared_ptr<Texts> texts_ = std::make_shared<Texts>();
  std::vector<std::shared_ptr<const void>> blocks_;
  std::shared_ptr<char[]> open_;  // the block with room, if it is ours alone
  std::size_t used_ = 0, room_ = 0;
};

}  // namespace diptych
