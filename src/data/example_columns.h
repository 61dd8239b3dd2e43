// Examples column by column: some seventy bytes a row beside the bytes of its words, which the
// columns of its table share. A row is put together when it is asked for.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/row_memory.h"
#include "base/text_column.h"
#include "data/example.h"

namespace diptych {

// Where pictures lie, row by row.
class PictureColumn {
 public:
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  ImageSource operator[](std::size_t index) const;
  bool has(std::size_t index) const { return places_[index].holder > 0; }
  // Ascending from files, told apart by nothing, through container after container, each in order.
  std::pair<std::uint32_t, std::int64_t> place_in_order(std::size_t index) const;

  void push_back(const ImageSource& source);
  void set(std::size_t index, const ImageSource& source);
  void resize(std::size_t size) { places_.resize(size); }  // new rows have no picture
  void append(const PictureColumn& more);
  PictureColumn select(std::span<const std::size_t> kept) const;
  // For each name the file of it in a folder; none for an empty name. Shares the names.
  static PictureColumn files(const std::filesystem::path& folder, const TextColumn& names);

 private:
  struct Holder {  // what rows have in common
    std::shared_ptr<const ImageContainer> container;
    std::filesystem::path folder;  // of files, when there is no container
  };
  struct Place {
    std::uint32_t holder = 0;  // its index and one; 0: no picture
    std::int64_t index = 0;    // in the container, or of the name of a file
  };
  Place place_of(const ImageSource& source);
  std::uint32_t holder_of(const Holder& holder);

  RowVector<Place> places_;
  std::vector<Holder> holders_;
  std::unordered_map<const ImageContainer*, std::uint32_t> known_;  // null: files with whole paths
  TextColumn names_;
};

struct ExampleColumns {
  TextColumn ids, texts;
  TextColumn groups;  // empty when no row has one
  PictureColumn pictures;
  RowVector<int> labels;                // of all rows
  RowVector<std::uint32_t> label_ends;  // of each row
  RowVector<Part> parts;
  RowVector<std::int64_t> numbers;  // Example::row

  std::size_t size() const { return numbers.size(); }
  Example operator[](std::size_t index) const;
  std::span<const int> labels_of(std::size_t index) const;
  std::string_view group_of(std::size_t index) const;

  void push_back(const Example& example);
  ExampleColumns select(std::span<const std::size_t> kept) const;  // in this order, words shared
};

// For a loop over all rows, each put together in its turn.
class ExampleRange {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Example;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Example;

    Iterator() = default;
    Iterator(const ExampleColumns* columns, std::size_t index) : columns_(columns), index_(index) {}
    Example operator*() const { return (*columns_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) { return {columns_, index_++}; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const ExampleColumns* columns_ = nullptr;
    std::size_t index_ = 0;
  };

  explicit ExampleRange(const ExampleColumns& columns) : columns_(&columns) {}
  Iterator begin() const { return {columns_, 0}; }
  Iterator end() const { return {columns_, size()}; }
  std::size_t size() const { return columns_->size(); }
  bool empty() const { return size() == 0; }

 private:
  const ExampleColumns* columns_;
};

}  // namespace diptych
