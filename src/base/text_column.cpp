#include "base/text_column.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace diptych {
namespace {

constexpr std::size_t kLeast = 1 << 9, kMost = 1 << 20;  // bytes of a block

std::shared_ptr<char[]> row_block(std::size_t bytes) {
  return {static_cast<char*>(allocate_row_memory(bytes)),
          [bytes](char* block) { free_row_memory(block, bytes); }};
}

}  // namespace

TextColumn::TextColumn(std::initializer_list<std::string_view> texts) {
  for (std::string_view text : texts) push_back(text);
}

// The open block stays with the one that was copied: two must not write to it.
TextColumn::TextColumn(const TextColumn& other) : texts_(other.texts_), blocks_(other.blocks_) {}

TextColumn& TextColumn::operator=(const TextColumn& other) { return *this = TextColumn(other); }

void TextColumn::swap(TextColumn& other) noexcept {
  texts_.swap(other.texts_);
  blocks_.swap(other.blocks_);
  open_.swap(other.open_);
  std::swap(used_, other.used_);
  std::swap(room_, other.room_);
}

std::string_view TextColumn::copied(std::string_view text) {
  if (text.empty()) return {};
  if (!open_ || room_ - used_ < text.size()) {
    room_ = std::max({kLeast, std::min(2 * room_, kMost), text.size()});
    open_ = row_block(room_);
    blocks_.push_back(open_);
    used_ = 0;
  }
  char* place = open_.get() + used_;
  std::memcpy(place, text.data(), text.size());
  used_ += text.size();
  return {place, text.size()};
}

void TextColumn::push_back(std::string_view text) { own().push_back(copied(text)); }

void TextColumn::set(std::size_t index, std::string_view text) { own()[index] = copied(text); }

void TextColumn::resize(std::size_t size) {
  if (size != this->size()) own().resize(size);
}

void TextColumn::assign(std::size_t size, std::string_view text) {
  own().assign(size, copied(text));
}

void TextColumn::append(const TextColumn& more) {
  Texts& texts = own();
  texts.insert(texts.end(), more.begin(), more.end());
  keep(more);
}

void TextColumn::keep(std::shared_ptr<const void> owner) { blocks_.push_back(std::move(owner)); }

void TextColumn::keep(const TextColumn& owner) {
  if (&owner == this) return;
  blocks_.insert(blocks_.end(), owner.blocks_.begin(), owner.blocks_.end());
}

}  // namespace diptych
