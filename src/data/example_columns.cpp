#include "data/example_columns.h"

#include <algorithm>

namespace diptych {
namespace {

TextColumn select(const TextColumn& column, std::span<const std::size_t> kept) {
  TextColumn result;
  if (column.empty()) return result;
  for (std::size_t index : kept) result.share(column[index]);
  result.keep(column);
  return result;
}

}  // namespace

ImageSource PictureColumn::operator[](std::size_t index) const {
  const Place& place = places_[index];
  if (place.holder == 0) return {};
  const Holder& holder = holders_[place.holder - 1];
  if (holder.container) return {{}, holder.container, place.index};
  return {holder.folder / names_[static_cast<std::size_t>(place.index)], nullptr, 0};
}

std::pair<std::uint32_t, std::int64_t> PictureColumn::place_in_order(std::size_t index) const {
  const Place& place = places_[index];
  if (place.holder == 0 || !holders_[place.holder - 1].container) return {0, 0};
  return {place.holder, place.index};
}

std::uint32_t PictureColumn::holder_of(const Holder& holder) {
  const auto next = static_cast<std::uint32_t>(holders_.size() + 1);
  if (holder.container || holder.folder.empty()) {
    const auto [known, is_new] = known_.emplace(holder.container.get(), next);
    if (!is_new) return known->second;
  }
  holders_.push_back(holder);
  return next;
}

PictureColumn::Place PictureColumn::place_of(const ImageSource& source) {
  if (source.empty()) return {};
  if (source.container) return {holder_of({source.container, {}}), source.index};
  names_.push_back(source.path.native());
  return {holder_of({}), static_cast<std::int64_t>(names_.size()) - 1};
}

void PictureColumn::push_back(const ImageSource& source) { places_.push_back(place_of(source)); }

void PictureColumn::set(std::size_t index, const ImageSource& source) {
  places_[index] = place_of(source);
}

void PictureColumn::append(const PictureColumn& more) {
  std::vector<std::uint32_t> holders;
  for (const Holder& holder : more.holders_) holders.push_back(holder_of(holder));
  const auto names = static_cast<std::int64_t>(names_.size());
  names_.append(more.names_);
  for (Place place : more.places_) {
    if (place.holder > 0) {
      if (!more.holders_[place.holder - 1].container) place.index += names;
      place.holder = holders[place.holder - 1];
    }
    places_.push_back(place);
  }
}

PictureColumn PictureColumn::select(std::span<const std::size_t> kept) const {
  PictureColumn result;
  result.holders_ = holders_;
  result.known_ = known_;
  result.names_.keep(names_);
  result.places_.reserve(kept.size());
  for (std::size_t index : kept) {
    Place place = places_[index];
    if (place.holder > 0 && !holders_[place.holder - 1].container) {
      result.names_.share(names_[static_cast<std::size_t>(place.index)]);
      place.index = static_cast<std::int64_t>(result.names_.size()) - 1;
    }
    result.places_.push_back(place);
  }
  return result;
}

PictureColumn PictureColumn::files(const std::filesystem::path& folder, const TextColumn& names) {
  PictureColumn result;
  result.names_ = names;
  const std::uint32_t holder = result.holder_of({nullptr, folder});
  result.places_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) result.places_[i] = {holder, static_cast<std::int64_t>(i)};
  }
  return result;
}

std::span<const int> ExampleColumns::labels_of(std::size_t index) const {
  const std::uint32_t begin = index > 0 ? label_ends[index - 1] : 0;
  return std::span(labels).subspan(begin, label_ends[index] - begin);
}

std::string_view ExampleColumns::group_of(std::size_t index) const {
  return groups.empty() ? std::string_view() : groups[index];
}

Example ExampleColumns::operator[](std::size_t index) const {
  const auto of_row = labels_of(index);
  return {std::string(ids[index]),
          pictures[index],
          std::string(texts[index]),
          {of_row.begin(), of_row.end()},
          std::string(group_of(index)),
          parts[index],
          numbers[index]};
}

void ExampleColumns::push_back(const Example& example) {
  ids.push_back(example.id);
  texts.push_back(example.text);
  if (groups.empty() && !example.group.empty()) groups.resize(size());
  if (!groups.empty() || !example.group.empty()) groups.push_back(example.group);
  pictures.push_back(example.image);
  labels.insert(labels.end(), example.labels.begin(), example.labels.end());
  label_ends.push_back(static_cast<std::uint32_t>(labels.size()));
  parts.push_back(example.part);
  numbers.push_back(example.row);
}

ExampleColumns ExampleColumns::select(std::span<const std::size_t> kept) const {
  ExampleColumns result;
  result.ids = diptych::select(ids, kept);
  result.texts = diptych::select(texts, kept);
  result.groups = diptych::select(groups, kept);
  result.pictures = pictures.select(kept);
  for (std::size_t index : kept) {
    const auto of_row = labels_of(index);
    result.labels.insert(result.labels.end(), of_row.begin(), of_row.end());
    result.label_ends.push_back(static_cast<std::uint32_t>(result.labels.size()));
    result.parts.push_back(parts[index]);
    result.numbers.push_back(numbers[index]);
  }
  return result;
}

}  // namespace diptych
